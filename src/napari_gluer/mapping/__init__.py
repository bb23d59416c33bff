"""Maps that are learnt once and used on other cells: `learn_map`, `map_cells`."""
