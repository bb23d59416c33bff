"""Tables that lie in files (``anndata.read_h5ad(path, backed="r")``) for functions that need them.

The steps work on values in memory. The public functions of the package come through this module,
which reads what is backed before the call; tables in memory pass as they are.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import wraps
from importlib import import_module
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_MADE: dict[str, Any] = {}


def in_memory(value: Any) -> Any:
    """`value` with every backed AnnData in it read whole: itself, or in a list, dict or dataclass.

    Parameters
    ----------
    value
        Any argument. What holds no backed table is returned as it is, not copied.
    """
    if _is_backed(value):
        return value.to_memory()
    if isinstance(value, list | tuple) and any(_is_backed(one) for one in value):
        return [in_memory(one) for one in value]
    if isinstance(value, Mapping) and any(_is_backed(one) for one in value.values()):
        return {name: in_memory(one) for name, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        found = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
        opened = {name: in_memory(one) for name, one in found.items() if _is_backed(one)}
        return replace(value, **opened) if opened else value
    return value


def reads_backed(function: Function) -> Function:
    """`function`, which gets its backed tables in memory; anything else is left as it is."""

    @wraps(function)
    def called(*given: Any, **named: Any) -> Any:
        return function(
            *(in_memory(one) for one in given),
            **{key: in_memory(one) for key, one in named.items()},
        )

    called.__module__ = __name__  # found again under this name by pickle
    return called  # type: ignore[return-value] # same parameters, same result


def public(module: str, name: str) -> Any:
    """The public thing `name` of `module`; functions read what is backed.

    Classes and functions without a table among their parameters come as they are.
    """
    known = sys.modules.get(module) or import_module(module)
    found = getattr(known, name)
    if isinstance(found, type) or not _takes_tables(found):
        return found
    if name not in _MADE:
        _MADE[name] = reads_backed(found)
    return _MADE[name]


def __getattr__(name: str) -> Any:
    """The functions that were made, so that pickle finds them in another process too."""
    if name not in _MADE and not name.startswith("_"):
        import_module("napari_gluer").__getattr__(name)
    if name in _MADE:
        return _MADE[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _takes_tables(function: Any) -> bool:
    hints = getattr(function, "__annotations__", {})
    return any(
        "AnnData" in str(hint) or "Inputs" in str(hint)
        for name, hint in hints.items()
        if name != "return"
    )


def _is_backed(value: Any) -> bool:
    return getattr(value, "isbacked", False) is True and hasattr(value, "to_memory")
