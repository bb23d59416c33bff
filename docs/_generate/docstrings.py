"""Docstrings of the code, as the site shows them: public names become links."""

import re
from typing import Any

from sphinx.application import Sphinx

import napari_gluer as ng

_QUOTED = re.compile(r"(?<![`:\w])(`{1,2})(ng\.)?(\w+)\1(?!`)")


def setup(app: Sphinx) -> dict[str, Any]:
    """Link what docstrings name."""
    app.connect("autodoc-process-docstring", _process)
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
