"""Which fields of view of a table the labels are of."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed
from napari_gluer.measurement.agreement import Sample
from napari_gluer.measurement.cell_places import CellPlaces
from napari_gluer.measurement.matching import Found, cell_votes, thinned, vote_share
from napari_gluer.measurement.orientation import Orientation

_LOOKED_INTO = 5  # fields, those whose cells lie most like the labels'
_VOTING = 20_000  # spots of a field
_OVERLAP = 1.5
_LEAD = 0.10


def share_a_frame(x: NDArray[Any], y: NDArray[Any], fields: NDArray[Any]) -> bool:
    """Whether the fields lie beside each other, and not all from 0: their boxes hardly overlap."""
    boxes = pd.DataFrame({"x": x, "y": y, "field": fields}).groupby("field", observed=True)
    low, high = boxes.min(), boxes.max()
    areas = ((high["x"] - low["x"]) * (high["y"] - low["y"])).sum()
    whole = (high["x"].max() - low["x"].min()) * (high["y"].max() - low["y"].min())
    return bool(areas <= _OVERLAP * whole)


def choose_field(
    spots: Sample,
    fields: NDArray[np.int64],
    names: Sequence[str],
    ways: Sequence[Orientation],
    places: CellPlaces,
    match: Callable[[Sample], Found],
) -> tuple[int, Found]:
    """The field of view whose spots lie in the cells that their table names.

    Parameters
    ----------
    spots
        All spots, with the cells that the table names.
    fields, names
        Field of every spot, as its number among the names.
    ways, places
        Orientations in question, and where the cells of the labels lie.
    match
        Finds the placement of one field's spots, or raises `InputError`.

    Raises
    ------
    InputError
        If no field fits, or several do.
    """
    rows = {field: np.flatnonzero(fields == field) for field in range(len(names))}
    likely = list(rows) if spots.linked else _likely(spots, rows, ways, places)
    found: dict[int, Found] = {}
    refused: dict[int, InputError] = {}
    for field in likely:
        try:
            found[field] = match(spots.part(rows[field]))
        except InputError as error:
            refused[field] = error
    if not found:
        first = likely[0]
        raise InputError(
            f"The table holds {len(rows)} fields of view ({listed(names)}) and none of them fits "
            f"the labels. Field {names[first]}: {refused[first]}"
        )
    ranked = sorted(found, key=lambda field: -found[field].agreement.matched)
    shares = [found[field].agreement.matched for field in ranked]
    if len(ranked) > 1 and shares[0] - shares[1] < _LEAD:
        numbers = listed(
            f"{names[field]}: {share:.1%}" for field, share in zip(ranked, shares, strict=True)
        )
        raise InputError(
            f"Several fields of view of the table fit these labels ({numbers}). Choose with "
            "only_fov of read_spots."
        )
    return ranked[0], found[ranked[0]]


def _likely(
    spots: Sample,
    rows: Mapping[int, NDArray[Any]],
    ways: Sequence[Orientation],
    places: CellPlaces,
) -> list[int]:
    """The fields whose cells lie most like those of the labels, the likeliest first."""
    votes = {
        field: vote_share(cell_votes(thinned(spots.part(own), _VOTING), places), ways, places)
        for field, own in rows.items()
    }
    return sorted(rows, key=lambda field: -votes[field])[:_LOOKED_INTO]
