"""What is known of one cell without computing anything: for the card."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from napari_gluer import slots
from napari_gluer._napari.linked import Shown
from napari_gluer._napari.paintables import plain_name
from napari_gluer.palette import UNMATCHED

_HIGH, _FAIR = 0.8, 0.5
_UNITS = {"um": "µm", "px": "pixels"}
_SIZES = ((slots.AREA_UM2, "µm²"), (slots.VOLUME_UM3, "µm³"), (slots.VOLUME, "pixels"))
_TRANSFERRED = slots.transferred("")


@dataclass(frozen=True, eq=False)
class CellFacts:
    """A cell's card.

    Attributes
    ----------
    label
        Value in the labels image.
    row
        Of the table; None where the table lacks the cell.
    rows
        Name and value of every line of the card.
    notes
        What must be known before any of it is believed, in sentences.
    """

    label: int
    row: int | None
    rows: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The card as lines, to be copied."""
        lines = [f"{name}\t{value}" for name, value in (("label", str(self.label)), *self.rows)]
        return "\n".join([*lines, *self.notes])


def in_words(confidence: float) -> str:
    """A chance or confidence on [0, 1], with a word for it."""
    if not np.isfinite(confidence):
        return "not known"
    word = "high" if confidence >= _HIGH else "fair" if confidence >= _FAIR else "low"
    return f"{confidence:.2f} ({word})"


def facts_of(
    label: int, cells: AnnData, shown: Shown | None = None, *, reason: str = ""
) -> CellFacts:
    """The card of a cell.

    Parameters
    ----------
    label
        Value in the labels image.
    cells
        Reads ``obs``, ``obsm["spatial"]`` and ``uns["gluer"]``.
    shown
        What is painted now.
    reason
        Why the table has nothing to say of the cell as it is now, "" where it has.
    """
    found = np.flatnonzero(slots.cell_labels(cells) == label)
    if reason or not len(found):
        return CellFacts(label, None, (), (reason or "The table does not have this cell.",))
    row = int(found[0])
    notes = []
    lines = [*_identity(cells, row), *_results(cells, row), *_painted(shown, label)]
    if slots.unmatched(cells)[row]:
        notes.append(_why_unmatched(cells, row))
    return CellFacts(label, row, tuple(lines), tuple(notes))


def _identity(cells: AnnData, row: int) -> Iterator[tuple[str, str]]:
    name = str(cells.obs_names[row])
    if slots.CELL_ID in cells.obs:
        name = str(cells.obs[slots.CELL_ID].iloc[row])
    yield "name", name
    for column, unit in _SIZES:
        if column in cells.obs:
            yield "size", f"{float(cells.obs[column].iloc[row]):,.4g} {unit}"
            break
    if slots.SPATIAL in cells.obsm:
        place = np.asarray(cells.obsm[slots.SPATIAL])[row]
        unit = _UNITS.get(str(slots.info(cells).get(slots.SPATIAL_UNIT)), "")
        axes = zip("xyz", place, strict=False)
        yield "position", f"{', '.join(f'{axis} {value:,.1f}' for axis, value in axes)} {unit}"


def _results(cells: AnnData, row: int) -> Iterator[tuple[str, str]]:
    unmatched = bool(slots.unmatched(cells)[row])
    for column in map(str, cells.obs):
        if column.endswith(_TRANSFERRED):
            yield plain_name(column), _type(cells, column, row, unmatched=unmatched)
    if slots.CONFIDENCE in cells.obs:
        yield "confidence", in_words(float(cells.obs[slots.CONFIDENCE].iloc[row]))
    if slots.CLUSTER in cells.obs:
        cluster = cells.obs[slots.CLUSTER].iloc[row]
        yield "cluster", UNMATCHED if unmatched or pd.isna(cluster) else str(cluster)
    if slots.PSEUDOTIME in cells.obs and not unmatched:
        yield "pseudotime", f"{float(cells.obs[slots.PSEUDOTIME].iloc[row]):.3g}"


def _type(cells: AnnData, column: str, row: int, *, unmatched: bool) -> str:
    found = cells.obs[column].iloc[row]
    if unmatched:
        return UNMATCHED
    if pd.isna(found):
        return "none: no reference cell near it has a type"
    chance = slots.probability(column.removesuffix(_TRANSFERRED))
    if chance not in cells.obs:
        return str(found)
    return f"{found}, chance {in_words(float(cells.obs[chance].iloc[row]))}"


def _painted(shown: Shown | None, label: int) -> Iterator[tuple[str, str]]:
    """What the tissue shows of the cell now."""
    if shown is None:
        return
    found = np.flatnonzero(shown.labels == label)
    if len(found) and shown.values is not None:
        value = float(shown.values[found[0]])
        unit = f" {shown.unit}" if shown.unit else ""
        grey = shown.unmatched is not None and bool(shown.unmatched[found[0]])
        empty = UNMATCHED if grey else "no value"
        yield shown.what.layer_name, f"{value:.4g}{unit}" if np.isfinite(value) else empty
    elif len(found) and shown.codes is not None and not _is_listed(shown):
        code = int(shown.codes[found[0]])
        yield shown.what.layer_name, shown.names[code] if code >= 0 else "no value"


def _is_listed(shown: Shown) -> bool:
    """Whether the card has a line for it anyway."""
    return shown.what.name == slots.CLUSTER or shown.what.name.endswith(_TRANSFERRED)


def _why_unmatched(cells: AnnData, row: int) -> str:
    if slots.without_signal(cells)[row]:
        return "Unmatched: no feature that links it with the reference was found in this cell."
    return (
        "Unmatched: the reference seems to lack cells of its type, so nothing is said of its type "
        "and genes."
    )


def table_rows(table: pd.DataFrame, columns: dict[str, str]) -> list[tuple[str, ...]]:
    """Rows as text: the index, then `columns` by their format, such as ``{"weight": ".2f"}``."""

    def told(value: Any, form: str) -> str:
        if isinstance(value, str) or not form:
            return "" if pd.isna(value) else str(value)
        return format(float(value), form)

    return [
        (str(name), *(told(row[column], form) for column, form in columns.items()))
        for name, row in table.iterrows()
    ]
