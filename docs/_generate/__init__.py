"""Makes the sources of the documentation site from the pages and from the code."""
