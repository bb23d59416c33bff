"""Find how spots lie on labels, by the cells that their table names or by the cells' shapes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_gluer.errors import InputError
from napari_gluer.measurement.agreement import Agreement, Patches, Sample, judge
from napari_gluer.measurement.cell_places import CellPlaces
from napari_gluer.measurement.orientation import Orientation, Placement

_LOOKED_AT = 50_000  # spots; a share is then known to 0.2 %
_STEPS = (4.0, 2.0, 1.0, 0.5)  # pixels by which an origin is refined
_SIMPLER = 0.02  # a placement that needs less is taken where it agrees nearly as well
_LEAD = 0.10  # share by which the best orientation must lead
_SAME = 0.02  # share of spots in other cells up to which two placements are the same
_SEEN_LEAD = 0.05  # the same where only the share in cells can be compared
_LEAST_INSIDE = 0.5
_VOTING = 1_000_000  # spots that tell where the cells lie
_REMEDY = (
    "Check that table and labels are of the same field of view and crop (x0, y0 and only_fov of "
    "read_spots) or fix the orientation. If the labels are nuclei of these cells, lower "
    "least_match; if the table's cells are of another segmentation, do not compare them "
    "(compare_cells)."
)


@dataclass(frozen=True)
class Found:
    """How spots lie on labels, and what was compared.

    Attributes
    ----------
    placement
        The one to use.
    agreement
        What it gives, for the spots looked at.
    tried
        Best share of every orientation, by name: of spots in the cell that the table names (those
        beside the labels count against it), else in cells.
    checked
        Whether the data decide for this placement.
    remark
        What to tell the person, "" for nothing.
    """

    placement: Placement
    agreement: Agreement
    tried: dict[str, float] = field(default_factory=dict)
    checked: bool = True
    remark: str = ""


def thinned(spots: Sample, most: int = _LOOKED_AT) -> Sample:
    """At most `most` of the spots, drawn at random, always the same."""
    if len(spots) <= most:
        return spots
    rows = np.random.default_rng(0).choice(len(spots), most, replace=False)
    return spots.part(np.sort(rows))


def match_cells(
    spots: Sample,
    ways: Sequence[Orientation],
    patches: Patches,
    places: CellPlaces,
    *,
    origin: bool,
    least: float,
) -> Found:
    """Find the placement that puts spots in the cells which the table names.

    Orientations are tried with the labels starting at 0 and, where `origin` is set, where the
    cells' centroids vote for; the simpler is taken unless the other agrees clearly better.

    Raises
    ------
    InputError
        If the best agrees in less than `least` of the spots, or another orientation nearly as
        well; the message gives the share of every orientation.
    """
    looked = thinned(spots)
    plain = [(Placement(way), judge(looked, Placement(way), patches, places)) for way in ways]
    best = list(plain)
    votes = cell_votes(thinned(spots, _VOTING), places) if origin and not spots.linked else None
    if votes is not None and not votes.empty:
        for i, way in enumerate(ways):
            moved = _refined(looked, _voted(votes, way, places)[0], patches, places)
            if moved[1].score > plain[i][1].score + _SIMPLER:
                best[i] = moved
    highest = max(map(_score, best))
    # what needs no origin is compared with its like
    simple = max(map(_score, plain)) >= highest - _SIMPLER
    ranked = sorted(plain if simple else best, key=_score, reverse=True)  # stable
    chosen = plain[0] if _score(plain[0]) >= highest - _SIMPLER else ranked[0]
    under = patches.found(looked, chosen[0])
    rivals = [
        pair
        for pair in ranked
        if _score(chosen) - _score(pair) < _LEAD
        # another way to put the same spots in the same cells is no rival
        and (patches.found(looked, pair[0]) != under).mean() > _SAME
    ]
    _refuse_doubtful(chosen, ranked, least, doubted=bool(rivals) and chosen is not plain[0])
    tried = {str(one.orientation): round(agreed.score, 4) for one, agreed in best}
    return Found(*chosen, tried)


def match_shapes(
    spots: Sample, ways: Sequence[Orientation], patches: Patches, places: CellPlaces
) -> Found:
    """Find the orientation that puts clearly more spots in cells than chance and the others.

    For tables that name no cells. Where the data do not decide, spots stay as given, and the
    remark says so.

    Raises
    ------
    InputError
        If less than half of the spots fall on the labels image.
    """
    looked = thinned(spots)
    seen = {way: judge(looked, Placement(way), patches, places) for way in ways}
    tried = {str(way): round(one.in_cells, 4) for way, one in seen.items()}
    _refuse_outside(looked, seen, places.shape[-2:])
    ranked = sorted(ways, key=lambda way: -seen[way].in_cells)
    best, given = ranked[0], ways[0]
    second = seen[ranked[1]].in_cells if len(ranked) > 1 else 0.0
    chance = places.covered
    lead = seen[best].in_cells - max(second, chance)
    if len(ways) == 1 or lead < _SEEN_LEAD:
        _refuse_outside(looked, {given: seen[given]}, places.shape[-2:])
        remark = (
            "the table names no cells and the orientation could not be checked: "
            f"{seen[given].in_cells:.1%} of the spots fall in cells {given}, at most "
            f"{seen[best].in_cells:.1%} otherwise, {chance:.1%} by chance"
        )
        return Found(Placement(given), seen[given], tried, checked=False, remark=remark)
    return Found(Placement(best), seen[best], tried)


def cell_votes(spots: Sample, places: CellPlaces) -> pd.DataFrame:
    """Median position of the spots of every cell that both table and labels know.

    Returns
    -------
    Columns ``x``, ``y``, ``n`` (spots), ``row``, ``column`` (centroid in the labels).
    """
    table = pd.DataFrame({"x": spots.x, "y": spots.y, "cell": spots.cells})
    table = table[np.isin(table["cell"], places.ids)]
    groups = table.groupby("cell", sort=True)
    votes = groups[["x", "y"]].median()
    votes["n"] = groups.size()
    at = np.searchsorted(places.ids, votes.index.to_numpy(np.int64))
    votes["row"], votes["column"] = places.centroids[at, -2], places.centroids[at, -1]
    return votes


def _voted(votes: pd.DataFrame, way: Orientation, places: CellPlaces) -> tuple[Placement, float]:
    """The origin that most cells vote for, and the share of the cells that do."""
    if votes.empty:  # no cell in common
        return Placement(way), 0.0
    extent = places.shape[-2:]
    x, y = Placement(way).unplaced(
        votes["row"].to_numpy(np.float64), votes["column"].to_numpy(np.float64), extent
    )
    moves = np.stack([votes["x"].to_numpy() - x, votes["y"].to_numpy() - y], axis=1)
    near = _densest(moves, max(4.0, places.diameter / 2))
    centre = np.round(np.median(moves[near], axis=0))
    return Placement(way, float(centre[0]), float(centre[1])), float(near.mean())


def vote_share(votes: pd.DataFrame, ways: Sequence[Orientation], places: CellPlaces) -> float:
    """Largest share of the cells that vote for one origin, over the orientations."""
    return max((_voted(votes, way, places)[1] for way in ways), default=0.0)


def _densest(points: NDArray[np.float64], side: float) -> NDArray[np.bool_]:
    """Which points lie in the fullest neighbourhood, of three squares of `side` a side."""
    bins = np.clip(np.floor(points / side), -(2.0**52), 2.0**52).astype(np.int64)
    squares, counts = np.unique(bins, axis=0, return_counts=True)
    known = {tuple(square): count for square, count in zip(squares.tolist(), counts, strict=True)}
    around = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    totals = [
        sum(known.get((row + i, column + j), 0) for i, j in around)
        for row, column in squares.tolist()
    ]
    fullest = squares[int(np.argmax(totals))]
    return np.asarray((np.abs(bins - fullest) <= 1).all(axis=1))


def _refined(
    looked: Sample, start: Placement, patches: Patches, places: CellPlaces
) -> tuple[Placement, Agreement]:
    """Move the origin by smaller and smaller steps while more spots match."""
    best, agreement = start, judge(looked, start, patches, places)
    for step in _STEPS:
        moved = True
        while moved:
            moved = False
            for dx, dy in ((-step, 0.0), (step, 0.0), (0.0, -step), (0.0, step)):
                other = best.moved(dx, dy)
                reached = judge(looked, other, patches, places)
                if reached.score > agreement.score:
                    best, agreement, moved = other, reached, True
    return best, agreement


def _score(pair: tuple[Placement, Agreement]) -> float:
    return pair[1].score


def _refuse_doubtful(
    chosen: tuple[Placement, Agreement],
    ranked: Sequence[tuple[Placement, Agreement]],
    least: float,
    *,
    doubted: bool,
) -> None:
    shares = "; ".join(f"{placement}: {one.score:.1%}" for placement, one in ranked)
    agreement = chosen[1]
    if agreement.matched < least or agreement.score < least / 2:
        beside = f" and {1 - agreement.reached:.1%} fall beside the labels"
        raise InputError(
            f"The spots do not lie in the cells that their table names: at best "
            f"{agreement.matched:.1%} match{beside if agreement.reached < 1 else ''}, at least "
            f"{least:.0%} are needed. Tried were, best origin each: {shares}. {_REMEDY}"
        )
    if doubted:
        raise InputError(
            "Spots match the cells that their table names in two orientations nearly alike: "
            f"{shares}. {_REMEDY}"
        )


def _refuse_outside(
    looked: Sample, seen: dict[Orientation, Agreement], extent: Sequence[int]
) -> None:
    if max(one.inside for one in seen.values()) >= _LEAST_INSIDE:
        return
    shares = "; ".join(f"{way}: {one.inside:.1%}" for way, one in seen.items())
    raise InputError(
        f"Most spots fall outside the labels image of {extent[1]} × {extent[0]} pixels (width × "
        f"height): x is {_range(looked.x)}, y {_range(looked.y)}; on the labels fall {shares}. "
        "Give where the labels start (x0, y0) or the pixel size (pixel_size_um) to read_spots, or "
        "the labels of these spots."
    )


def _range(values: NDArray[Any]) -> str:
    return f"{values.min():g} to {values.max():g}"
