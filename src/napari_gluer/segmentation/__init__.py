"""From an image to labels, one module a method."""
