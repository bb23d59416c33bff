"""Ask a cell: what is known of the cell that is clicked or typed."""
