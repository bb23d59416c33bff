"""Linked embedding: reference and cells in two dimensions, coloured as the tissue."""
