"""napari-gluer: paint genes that were never imaged onto multiplexed tissue images.

The public names are those of ``__init__.pyi``. They are loaded on first use: importing this package
loads no Qt, napari, torch, scanpy or anndata.
"""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

__version__ = "0.1.0"


def _homes() -> dict[str, str]:
    """The module of every public name."""
    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = (node for node in stub.body if isinstance(node, ast.ImportFrom))
    return {name.name: str(node.module) for node in imports for name in node.names}


_HOMES = _homes()

__all__ = sorted(_HOMES)  # noqa: PLE0605 - a list; type checkers read the stub


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    backed = import_module(f"{__name__}.backed")
    return backed.public(_HOMES[name], name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
