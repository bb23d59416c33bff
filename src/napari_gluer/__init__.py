"""napari-gluer: paint genes that were never imaged onto multiplexed tissue images.

The public names below are loaded on first use: importing this package loads no Qt, napari, torch,
scanpy or anndata.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_gluer.errors import InputError
    from napari_gluer.image import MultiplexImage
    from napari_gluer.track import Cancelled

__version__ = "0.1.0"

_HOMES = {
    "Cancelled": "track",
    "InputError": "errors",
    "MultiplexImage": "image",
}

__all__ = ["Cancelled", "InputError", "MultiplexImage"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
