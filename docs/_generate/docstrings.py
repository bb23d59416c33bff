"""Docstrings of the code, as the site shows them: public names become links."""

import re
from typing import Any

from sphinx.application import Sphinx

import napari_gluer as ng
from napari_gluer.params import Params

_NAMED = r"~?(?:\w+\.)*"  # how Sphinx writes where a type lives
_ARRAY = re.compile(
    rf"{_NAMED}ndarray\[tuple\[{_NAMED}Any, \.\.\.\], {_NAMED}dtype\[({_NAMED}\w+)\]\]"
)
_BOUNDED = re.compile(rf"{_NAMED}Annotated\[(\w+)(?:, {_NAMED}\w+\([^()]*\))+\]")
_QUOTED = re.compile(r"(?<![`:\w])(`{1,2})(ng\.)?(\w+)\1(?!`)")


def setup(app: Sphinx) -> dict[str, Any]:
    """Link what docstrings name."""
    app.connect("autodoc-process-docstring", _process)
    app.connect("autodoc-process-signature", _signature)
    return {"parallel_read_safe": True}


def linked(text: str, own: str = "") -> str:
    """`text` with links to the public names that it quotes, other than `own`."""

    def replaced(found: re.Match[str]) -> str:
        name = found[3]
        if name not in ng.__all__ or name == own:
            return found[0]
        return f":py:obj:`{found[2] or ''}{name} <napari_gluer.{name}>`"

    return _QUOTED.sub(replaced, text)


def _process(
    _app: Sphinx, _what: str, name: str, _obj: Any, _options: Any, lines: list[str]
) -> None:
    own = name.rpartition(".")[2]
    lines[:] = [linked(line, own) for line in lines]


def plain(annotations: str) -> str:
    """Types as a reader wants them: no bounds (the tables have them), no axes of arrays.

    Parameters
    ----------
    annotations
        Arguments or a result, as Sphinx writes them.
    """
    short = _ARRAY.sub(r"NDArray[\1]", annotations)
    return _BOUNDED.sub(r"\1", short).replace("<factory>", "...")  # which is no Python


def _signature(
    _app: Sphinx,
    _what: str,
    _name: str,
    obj: Any,
    _options: Any,
    arguments: str | None,
    returned: str | None,
) -> tuple[str | None, str | None]:
    """Shorten; without fields of params, which have a table, and ``-> Any``, which says nothing."""
    if isinstance(obj, type) and issubclass(obj, Params):
        return "", None
    any_or_none = (returned or "Any").rpartition(".")[2] == "Any"
    result = None if any_or_none else plain(str(returned))
    return None if arguments is None else plain(arguments), result
