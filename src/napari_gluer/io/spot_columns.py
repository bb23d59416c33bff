"""Which columns of a table of spots say what: guessed from the names that instruments write."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from napari_gluer.errors import InputError, listed
from napari_gluer.params import Params

Frame = Literal["local", "global", ""]
XENIUM_PIXEL_UM = 0.2125


class SpotParams(Params):
    """How a table of decoded spots is read. An empty name of a column means: guess it."""

    gene: str = ""
    """Column of the gene."""

    x: str = ""
    """Column of x, along the width of the labels."""

    y: str = ""
    """Column of y, along the height of the labels."""

    z: str = ""
    """Column of z: plane, or depth."""

    cell: str = ""
    """Column of the cell that the instrument found the spot in."""

    quality: str = ""
    """Column of the quality of the decoding."""

    fov: str = ""
    """Column of the field of view."""

    coordinates: Literal["auto", "local", "global"] = "auto"
    """Positions in the field of view (local) or on the whole slide (global), where the table has
    both. Automatic: local for CosMx, whose masks are of one field; global for MERSCOPE."""

    unit: Literal["auto", "px", "um"] = "auto"
    """Unit of x and y. Automatic: by the name of the column; a plain x is in µm where a pixel size
    is given, else in pixels."""

    pixel_size_um: Annotated[float, Ge(0), Le(1000)] = 0.0
    """Size of a pixel of the labels in µm, which positions in µm are divided by; 0: not known."""

    x0: float = 0.0
    """x of the first column of the labels, in the unit of the table: where a crop starts."""

    y0: float = 0.0
    """y of the first row of the labels, in the unit of the table."""

    least_quality: float = 0.0
    """Spots of a lower quality are left out; 0 keeps all (Xenium itself counts from 20)."""

    only_fov: str = ""
    """Fields of view to keep, with commas between; empty keeps all."""


@dataclass(frozen=True)
class SpotColumns:
    """The columns that are read; "" where the table has none.

    Attributes
    ----------
    gene, x, y, z, cell, quality, fov
        Names as in the table.
    unit
        Of x and y: ``px``, ``um``, or "" where the name does not say.
    frame
        ``local`` to a field of view, ``global``, or "" where the name does not say.
    pixel_size_um
        Of the instrument's images, 0 where not known.
    from_corner
        µm count from the corner of the first pixel, not from its centre (Xenium).
    """

    gene: str
    x: str
    y: str
    z: str = ""
    cell: str = ""
    quality: str = ""
    fov: str = ""
    unit: Literal["px", "um", ""] = ""
    frame: Frame = ""
    pixel_size_um: float = 0.0
    from_corner: bool = False

    def named(self) -> dict[str, str]:
        """From what is read to the column it is read from."""
        roles = ("gene", "x", "y", "z", "cell", "quality", "fov")
        return {role: getattr(self, role) for role in roles if getattr(self, role)}


@dataclass(frozen=True)
class _Place:
    """Columns that hold a position together; names folded."""

    x: str
    y: str
    z: tuple[str, ...] = ("z", "zplane", "zindex", "zc", "zlocation", "globalz")
    unit: Literal["px", "um", ""] = ""
    frame: Frame = ""


# The first that a table has is taken: CosMx before MERSCOPE and Xenium, plain names last.
_PLACES = (
    _Place("xlocalpx", "ylocalpx", unit="px", frame="local"),
    _Place("xglobalpx", "yglobalpx", unit="px", frame="global"),
    _Place("xlocation", "ylocation", z=("zlocation", "z"), unit="um", frame="global"),
    _Place("globalx", "globaly", z=("globalz", "z"), unit="um", frame="global"),
    _Place("globalxpos", "globalypos", frame="global"),
    _Place("xpx", "ypx", unit="px"),
    _Place("xpixel", "ypixel", unit="px"),
    _Place("pixelx", "pixely", unit="px"),
    _Place("xum", "yum", z=("zum", "z"), unit="um"),
    _Place("xmicron", "ymicron", z=("zmicron", "z"), unit="um"),
    _Place("x", "y"),
    _Place("xc", "yc", z=("zc",), unit="um"),
    _Place("xcoord", "ycoord"),
    _Place("xcoordinate", "ycoordinate"),
    _Place("xpos", "ypos"),
    _Place("xposition", "yposition"),
    _Place("posx", "posy"),
    _Place("xcentroid", "ycentroid"),
    _Place("spotx", "spoty"),
    _Place("localx", "localy", frame="local"),
    _Place("column", "row", unit="px"),
    _Place("col", "row", unit="px"),
)
_ROLES = {
    "gene": (
        *("featurename", "target", "gene", "genename", "genesymbol", "genes", "geneid"),
        *("genelabel", "targetname", "symbol", "feature", "name"),
    ),
    "cell": ("cellid", "cell", "cellnumber", "celllabel", "entityid", "label"),
    "quality": ("qv", "quality", "qscore", "qualityscore", "transcriptscore", "score"),
    "fov": ("fov", "fieldofview", "fovid", "fovname", "field"),
}
_NEEDED = {"gene": "a gene", "x": "x", "y": "y"}


def guess_columns(header: Sequence[str], params: SpotParams, source: str) -> SpotColumns:
    """Choose the columns of a table of spots.

    Parameters
    ----------
    header
        Names of the table's columns.
    params
        What is set is taken; the rest is guessed, without regard to case and punctuation.
    source
        Name of the table, for messages.

    Raises
    ------
    InputError
        If gene, x or y is not found, a set name does not exist, or a name occurs twice.
    """
    _refuse_unknown(header, params, source)
    folded: dict[str, list[str]] = {}
    for name in header:
        folded.setdefault(fold(name), []).append(name)
    place = _place(folded, params)
    found = {role: _first(folded, names) for role, names in _ROLES.items()}
    if place is not None:
        found |= {"x": _first(folded, (place.x,)), "y": _first(folded, (place.y,))}
        found["z"] = _first(folded, place.z)
    found |= {role: name for role in _ALL if (name := getattr(params, role))}
    missing = [text for role, text in _NEEDED.items() if not found.get(role)]
    if missing:
        # one of the two may be there, without its partner
        lone = {axis for axis in ("x", "y") if any(getattr(p, axis) in folded for p in _PLACES)}
        missing = missing if len(lone) == 2 else [text for text in missing if text not in lone]
        raise InputError(
            f"{source}: no column for {' and '.join(missing)} was recognised among "
            f"{listed(map(repr, header), 30)}. Name them (gene, x, y)."
        )
    _refuse_repeated(header, folded, found, params, source)
    set_by_hand = bool(params.x and params.y) and place is None
    known = _Place("", "") if place is None or set_by_hand else place
    xenium = known.x == "xlocation" and "featurename" in folded
    return SpotColumns(
        **found,
        unit=known.unit,
        frame=known.frame,
        pixel_size_um=XENIUM_PIXEL_UM if xenium else 0.0,
        from_corner=xenium,
    )


_ALL = ("gene", "x", "y", "z", "cell", "quality", "fov")


def fold(name: str) -> str:
    """`name` of a column without case and punctuation: ``Cell ID`` is ``cellid``."""
    return re.sub(r"[^0-9a-zµ]", "", name.casefold().replace("μ", "µ")).replace("µm", "um")


def _first(folded: dict[str, list[str]], names: Sequence[str]) -> str:
    return next((folded[name][0] for name in names if name in folded), "")


def _place(folded: dict[str, list[str]], params: SpotParams) -> _Place | None:
    """The first known pair of columns that the table has and that fits what is set."""
    for place in _PLACES:
        fits = place.x in folded and place.y in folded
        fits &= not params.x or fold(params.x) == place.x
        fits &= not params.y or fold(params.y) == place.y
        if fits and _in_frame(place, folded, params.coordinates):
            return place
    return None


def _in_frame(place: _Place, folded: dict[str, list[str]], wanted: str) -> bool:
    if wanted in ("auto", place.frame):
        return True
    # beside global positions a plain x, y is that in the field: MERSCOPE
    beside_global = place.x == "x" and "globalx" in folded
    return not place.frame and beside_global == (wanted == "local")


def _refuse_unknown(header: Sequence[str], params: SpotParams, source: str) -> None:
    for role in _ALL:
        name = getattr(params, role)
        if name and name not in header:
            raise InputError(
                f"{source} has no column {name!r} for {role}; it has {listed(header, 30)}."
            )


def _refuse_repeated(
    header: Sequence[str],
    folded: dict[str, list[str]],
    found: dict[str, str],
    params: SpotParams,
    source: str,
) -> None:
    for role, name in found.items():
        alike = folded.get(fold(name), []) if name else []
        if list(header).count(name) > 1 or (len(alike) > 1 and not getattr(params, role)):
            raise InputError(
                f"{source} has {len(alike)} columns for {role}: {listed(map(repr, alike))}. "
                "Leave one, or rename the others."
            )
