"""The picture of the layers, drawn from the contract that ``lint-imports`` holds."""

import textwrap
import tomllib
from html import escape

from _generate.pages import DOCS, ROOT

PICTURE = DOCS / "images" / "layers.svg"
WIDTH, SIDE, GAP, LINE, PAD = 900, 150, 8, 20, 10
_FILLS = ("#dbe9f6", "#dbe9f6", "#e8def3", "#f6e8d0", "#dff0e0", "#eef0f2")
_WORDS = {
    "cli": "commands",
    "demo": "simulated tissue",
    "_napari": "napari and Qt",
    "pipeline": "all steps, judging",
    "io": "steps",
    "expression": "shared by steps",
    "nomenclature": "names",
    "devices": "data",
    "errors": "ground",
}


def contract() -> list[list[str]]:
    """The layers from above, each with the names of its modules."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return [
        [name.strip().removeprefix("napari_gluer.") for name in line.split("|")] for line in layers
    ]


def svg() -> str:
    """The picture: one bar a layer; a module imports from the bars below its own."""
    parts, top = [], PAD
    for number, names in enumerate(contract()):
        lines = textwrap.wrap("  ".join(names), 84)
        height = LINE * len(lines) + 2 * PAD
        parts.append(_bar(top, height, lines, number, _words(names)))
        top += height + GAP
    height = top - GAP + PAD
    return "\n".join([_head(height), *parts, _arrow(height), "</svg>", ""])


def _words(names: list[str]) -> str:
    """What a layer is, told by the member that makes it so."""
    return next((_WORDS[name] for name in names if name in _WORDS), "")


def write() -> None:
    """Draw the picture where it is not as it should be."""
    text = svg()
    if not PICTURE.is_file() or PICTURE.read_text(encoding="utf-8") != text:
        PICTURE.write_text(text, encoding="utf-8")


def _head(height: int) -> str:
    title = "Layers of napari-gluer: a module imports only from the layers below its own"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="14">\n<title>{title}</title>\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    )


def _bar(top: int, height: int, lines: list[str], number: int, words: str) -> str:
    fill = _FILLS[min(number, len(_FILLS) - 1)]
    middle = top + height / 2 + 5
    texts = "".join(
        f'<text x="{SIDE + 2 * PAD}" y="{top + PAD + 15 + LINE * row}" fill="#1c2530" '
        f'font-family="ui-monospace, monospace">{escape(line)}</text>'
        for row, line in enumerate(lines)
    )
    return (
        f'<text x="{SIDE}" y="{middle:g}" text-anchor="end" fill="#4a5560">{escape(words)}</text>'
        f'<rect x="{SIDE + PAD}" y="{top}" width="{WIDTH - SIDE - 4 * PAD}" height="{height}" '
        f'rx="5" fill="{fill}" stroke="#8a97a5"/>{texts}'
    )


def _arrow(height: int) -> str:
    x, end = WIDTH - PAD - 4, height - 2 * PAD
    return (
        f'<path d="M{x} {PAD} V{end}" stroke="#4a5560" stroke-width="2"/>'
        f'<path d="M{x - 5} {end - 6} L{x} {end + 4} L{x + 5} {end - 6} Z" fill="#4a5560"/>'
    )
