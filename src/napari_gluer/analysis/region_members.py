"""Which cells lie in which region: polygons in pixels, positions in pixels or µm."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import ArrayLike, NDArray

from napari_gluer import slots
from napari_gluer.analysis.grouping import selected, typed_column
from napari_gluer.errors import InputError, listed
from napari_gluer.polygons import Polygon, Regions, covers

OUTSIDE, INSIDE = "outside", "inside"
Where = Regions | str | ArrayLike | Mapping[str, ArrayLike]
"""Outlines, an ``obs`` column, one yes or no per cell, or several of these by name."""


@dataclass(frozen=True, eq=False)
class Members:
    """Cells of every region.

    Attributes
    ----------
    names
        Of the regions; ``outside`` is the last, where there are cells in none.
    members
        bool ``(n_cells, n_regions)``; a cell may be in several.
    excluded
        bool ``(n_cells,)``: in an area to leave out.
    note
        How positions became pixels; empty where they were not needed.
    """

    names: list[str]
    members: NDArray[np.bool_]
    excluded: NDArray[np.bool_]
    note: str

    @property
    def n_shared(self) -> int:
        """Cells in several regions."""
        return int((self.members.sum(axis=1) > 1).sum())


def region_members(
    cells: AnnData, regions: Where, pixel_size_um: float | tuple[float, float] | None = None
) -> Members:
    """Cells of every region, by the cells' centres.

    Parameters
    ----------
    cells
        For outlines reads ``obsm["spatial"]`` and ``uns["gluer"]["spatial_unit"]``; for a column,
        that.
    regions
        Outlines of one name are one region; nameless ones are numbered. A column's groups are the
        regions, cells without one are outside.
    pixel_size_um
        Of the image that the outlines were drawn on, one number or y and x; needed where positions
        are in µm, unless the table tells by its areas or is drawn.

    Raises
    ------
    InputError
        If no region holds a cell, positions are missing, or their unit does not fit.
    """
    none = np.zeros(cells.n_obs, np.bool_)
    note, excluded = "", none
    if isinstance(regions, Regions):
        places, note = pixel_positions(cells, pixel_size_um)
        named = _by_name(regions)
        excluded = covers(regions.exclude, places)
        inside = {name: covers(parts, places) & ~excluded for name, parts in named.items()}
        if not any(one.any() for one in inside.values()):
            raise _empty(named, places, note)
    elif isinstance(regions, str):
        coded = typed_column(cells, regions)
        inside = {str(name): np.asarray(coded == name) for name in coded.categories}
    elif isinstance(regions, Mapping):
        inside = {str(name): _yes_or_no(cells, one) for name, one in regions.items()}
    else:
        inside = {INSIDE: _yes_or_no(cells, regions)}
    return _members(inside, excluded, note)


def _members(
    inside: dict[str, NDArray[np.bool_]], excluded: NDArray[np.bool_], note: str
) -> Members:
    if OUTSIDE in inside:
        raise InputError(f"No region can be called {OUTSIDE!r}: so are the cells in none.")
    if not any(one.any() for one in inside.values()):
        raise InputError(f"No cell is in any of the regions: {listed(inside)}.")
    outside = ~np.any(list(inside.values()), axis=0) & ~excluded
    if outside.any():
        inside = {**inside, OUTSIDE: outside}
    return Members(list(inside), np.column_stack(list(inside.values())), excluded, note)


def _yes_or_no(cells: AnnData, values: Any) -> NDArray[np.bool_]:
    array = values if isinstance(values, pd.Series) else np.asarray(values)
    if array.dtype != bool:
        raise InputError(
            f"A region is one yes or no (bool) for every cell; these are {array.dtype}. For a "
            "column of regions give its name."
        )
    return selected(cells, array)


def _by_name(regions: Regions) -> dict[str, list[Polygon]]:
    if not regions.include:
        raise InputError("The regions hold only areas to leave out; there is none to compare.")
    named: dict[str, list[Polygon]] = {}
    for number, polygon in enumerate(regions.include, start=1):
        named.setdefault(polygon.name or f"region {number}", []).append(polygon)
    return named


def pixel_positions(
    cells: AnnData, pixel_size_um: float | tuple[float, float] | None
) -> tuple[NDArray[np.float64], str]:
    """Centres of the cells as y and x in pixels ``(n_cells, 2)``, and how they were had."""
    remedy = "Regions need the cells' positions: ng.measure gives them, ng.read_cells keeps them."
    found = np.asarray(slots.require(cells, "obsm", slots.SPATIAL, remedy), np.float64)
    if found.ndim != 2 or found.shape[1] not in (2, 3):
        raise InputError(f"obsm['spatial'] must hold x, y[, z]; it has shape {found.shape}.")
    lost = int((~np.isfinite(found[:, :2])).any(axis=1).sum())
    if lost:
        raise InputError(f"{lost:,} cells have no position (NaN); leave them out first.")
    known = slots.info(cells)
    unit = known.get(slots.SPATIAL_UNIT)
    x_y = found[:, :2]
    if pixel_size_um is not None:
        if unit == "px":
            raise InputError(
                "The positions are said to be in pixels, so no pixel size is needed. If they are "
                "in µm, set uns['gluer']['spatial_unit'] to 'um'."
            )
        size = _checked_size(pixel_size_um)
        return x_y[:, ::-1] / size, f"pixels of {_words(size)} µm"
    if drawn := known.get(slots.DRAWN):
        flip = np.array([1, -1 if drawn["y_flipped"] else 1])
        at = (x_y * flip - np.asarray(drawn["origin"], np.float64)) / float(drawn["pixel_size"])
        return at[:, ::-1], "pixels of the drawn cells"
    if unit != "um":
        return x_y[:, ::-1].copy(), "positions in pixels"
    side = _side_from_areas(cells)
    return x_y[:, ::-1] / side, f"pixels of {side:.4g} µm, from the cells' areas, taken as square"


def _checked_size(size: float | tuple[float, float]) -> NDArray[np.float64]:
    sides = np.broadcast_to(np.asarray(size, np.float64), 2)
    if not (np.isfinite(sides) & (sides > 0)).all():
        raise InputError(f"A pixel size is above 0 µm; this one is {size}.")
    return sides


def _words(size: NDArray[np.float64]) -> str:
    return " × ".join(f"{side:.4g}" for side in dict.fromkeys(size.tolist()))


def _side_from_areas(cells: AnnData) -> float:
    if slots.AREA_UM2 in cells.obs and slots.VOLUME in cells.obs:
        pixels = cells.obs[slots.VOLUME].to_numpy(np.float64)
        areas = cells.obs[slots.AREA_UM2].to_numpy(np.float64)[pixels > 0] / pixels[pixels > 0]
        if len(areas) and np.isfinite(areas).all() and np.ptp(areas) <= 1e-3 * areas.mean():
            return float(np.sqrt(np.median(areas)))
    raise InputError(
        "The cells' positions are in µm and the regions in pixels of an image. Say how large a "
        "pixel of that image is (pixel_size_um)."
    )


def _empty(named: dict[str, list[Polygon]], places: NDArray[np.float64], note: str) -> InputError:
    corners = np.array([polygon.bounds for parts in named.values() for polygon in parts])
    low, high = np.nanmin(corners[:, :2], axis=0), np.nanmax(corners[:, 2:], axis=0)
    spans = (_span(low[1], high[1]), _span(low[0], high[0]))
    cells = (_span(*np.sort(places[:, i])[[0, -1]]) for i in (1, 0)) if len(places) else ("", "")
    x, y = cells
    return InputError(
        f"No cell is in any of the regions {listed(named, 5)}: they span x {spans[0]}, y "
        f"{spans[1]} and the cells x {x}, y {y} ({note}). Other units, or another image?"
    )


def _span(low: float, high: float) -> str:
    return f"{low:,.0f} to {high:,.0f}"
