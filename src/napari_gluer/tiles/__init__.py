"""Work on images too big for memory: tiles, where they run, and what is kept of them.

A step hands over a plain function of one tile (`run_tiles`); it runs in threads here or, by the
same call, on a ``dask.distributed`` cluster. What tiles give never depends on how they are cut:
steps see to that with margins around each tile.
"""

from napari_gluer.tiles.grid import Tile, TileParams, tiles_of
from napari_gluer.tiles.pixels import Cut, pixels_print
from napari_gluer.tiles.running import checkpoint, run_tiles
from napari_gluer.tiles.store import Store

__all__ = [
    "Cut",
    "Store",
    "Tile",
    "TileParams",
    "checkpoint",
    "pixels_print",
    "run_tiles",
    "tiles_of",
]
