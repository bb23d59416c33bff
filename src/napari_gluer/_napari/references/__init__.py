"""Parts of the Reference and Integrate steps that look at a reference."""
