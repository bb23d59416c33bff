"""Colours of categories that colour-blind people tell apart."""

import colorsys

# Okabe & Ito (2008) without black, then Tol's muted scheme
_BASE = (
    "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255",
    "#AA4499",
)  # fmt: skip
_GOLDEN = 0.618033988749895

UNMATCHED = "unmatched"
"""Name of cells that the reference says nothing about."""

GREY = "#8A8A8A"
"""Colour of unmatched cells."""


def colors_of(names: list[str]) -> list[str]:
    """One ``#rrggbb`` a name, by position; grey for `UNMATCHED`."""
    return [GREY if name == UNMATCHED else _color(i) for i, name in enumerate(names)]


def _color(i: int) -> str:
    if i < len(_BASE):
        return _BASE[i]
    lightness = (0.45, 0.65, 0.8)[i % 3]
    rgb = colorsys.hls_to_rgb((i * _GOLDEN) % 1, lightness, 0.6)
    return "#" + "".join(f"{round(part * 255):02X}" for part in rgb)
