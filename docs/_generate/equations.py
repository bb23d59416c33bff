"""Equations as MathML, which browsers draw by themselves: no script, no network."""

import re
from typing import Any

from docutils.nodes import Element, SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer as ``mathml``, and choose it."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mathml(text: str, *, block: bool) -> str:
    """`text`, LaTeX without dollars, as a ``<math>`` element.

    Raises
    ------
    docutils.utils.math.MathError
        If the converter does not know a command, or would take two digits for one number: then
        it cannot stand in the pages.
    """
    if wrong := re.search(r"\\[td]?frac\s*\d\d|[_^]\d\d", text):
        raise MathError(f"{wrong[0]}: put braces around each part.")
    made = str(tex2mathml(text.strip(), as_block=block))
    # a closing bar with an exponent does not grow, so the opening one must not either
    return re.sub(r"<mo[^>]*>([‖∥|])</mo>", r'<mo stretchy="false">\1</mo>', made)


def _inline(translator: HTML5Translator, node: Element) -> None:
    translator.body.append(mathml(node.astext(), block=False))
    raise SkipNode


def _block(translator: HTML5Translator, node: Element) -> None:
    translator.body.append(f'<div class="equation">{mathml(node.astext(), block=True)}</div>\n')
    raise SkipNode
