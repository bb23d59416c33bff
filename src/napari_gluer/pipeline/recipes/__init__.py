"""What was done to the cells of a tissue, as data: repeated by a script or by commands."""
