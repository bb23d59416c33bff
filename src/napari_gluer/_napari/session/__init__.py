"""A session: layers, tables, results, selections, history and view, in a folder."""
