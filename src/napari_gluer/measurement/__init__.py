"""From an image to cells: intensities, cleaning, and which gene a marker stands for."""
