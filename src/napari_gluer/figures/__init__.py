"""The figures of a paper on an integration, each a function that returns a matplotlib figure."""
