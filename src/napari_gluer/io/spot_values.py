"""Columns of a table of spots, gathered batch by batch: numbers, names and cells."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed

_NOTHING = frozenset({"", "nan", "NaN", "NA", "<NA>", "N/A", "None", "null", "NULL"})
_NO_CELL = frozenset({"0", "-1", "unassigned", "background"}) | {
    text.casefold() for text in _NOTHING
}
_SHOWN = 3


def numbers(column: Any) -> NDArray[np.float64]:
    """A column of a batch as float64; missing values are NaN.

    Raises
    ------
    pyarrow.ArrowInvalid
        If it holds text that is no number.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.asarray(values, np.float64)


class Names:
    """A column of few different texts, kept as one code a row.

    Attributes
    ----------
    known
        From every text to its code.
    """

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self._codes: list[NDArray[np.int32]] = []

    def add(self, column: Any) -> NDArray[np.int32]:
        """Codes of the rows of a batch; missing texts have code -1."""
        coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        texts = coded.dictionary.cast(pa.string()).to_pylist()
        codes = np.array([self._code(text) for text in texts], np.int32)
        places = coded.indices
        missing = places.is_null().to_numpy(zero_copy_only=False)
        indices = pc.fill_null(places, 0).to_numpy(zero_copy_only=False)
        if not len(codes):
            return np.full(len(places), -1, np.int32)
        return np.where(missing, np.int32(-1), codes[indices])

    def keep(self, codes: NDArray[np.int32]) -> None:
        """Keep the codes of a batch, after rows were left out."""
        self._codes.append(codes)

    def categories(self) -> pd.Categorical:
        """All rows; categories in alphabetical order, those that occur."""
        codes = _joined(self._codes, np.int32)
        used = np.bincount(codes[codes >= 0], minlength=len(self.known)) > 0
        texts = [text for text, code in self.known.items() if used[code]]
        order = {text: number for number, text in enumerate(sorted(texts))}
        renumbered = np.array([order.get(text, -1) for text in self.known] + [-1], np.int32)
        return pd.Categorical.from_codes(
            renumbered[codes],  # code -1 takes the last: missing
            categories=pd.Index(sorted(texts), dtype=object),
        )

    def cells(self) -> NDArray[np.int64] | pd.Categorical:
        """All rows as numbers of cells, 0 for none; as texts where not all are whole numbers."""
        codes = _joined(self._codes, np.int32)
        found = [_cell_number(text) for text in self.known]
        if any(number is None for number in found):
            texts = self.categories()
            none = [text for text in texts.categories if text.strip().casefold() in _NO_CELL]
            return texts.remove_categories(none)
        return np.asarray(np.array([*found, 0], np.int64)[codes])

    def _code(self, text: str | None) -> int:
        if text is None or text in _NOTHING:
            return -1
        return self.known.setdefault(text, len(self.known))


def _cell_number(text: str) -> int | None:
    """Number of a cell from 0 to 2⁶³ - 1, 0 for none; None where `text` is no number."""
    bare = text.strip()
    if bare.casefold() in _NO_CELL:
        return 0
    whole, _, fraction = bare.partition(".")
    if not whole.isascii() or not whole.isdecimal() or fraction.strip("0"):
        return None
    number = int(whole)
    return number if number < 2**63 else None


def _joined(parts: Sequence[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype)


class Unusable:
    """Values of a column that are no finite numbers: how many, and the first ones."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.count = 0
        self._first: list[str] = []

    def add(self, values: Any, start: int, *, missing: bool) -> None:
        """Look at a batch whose first row is row `start` of the table, counted from 1.

        Empty and infinite values are unusable where `missing` is set.
        """
        texts = values.to_pandas()
        known = pd.to_numeric(texts.astype(object), errors="coerce").to_numpy(np.float64)
        unusable = ~np.isfinite(known)
        if not missing:
            unusable = np.isnan(known) & ~texts.astype(str).isin(_NOTHING).to_numpy()
        wrong = np.flatnonzero(unusable)
        self.count += len(wrong)
        for row in wrong[: _SHOWN - len(self._first)]:
            value = texts.iloc[row]
            text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
            self._first.append(f"row {start + row:,}: {text[:40] or 'empty'!r}")

    def refuse(self, source: str, rows: int) -> None:
        """Raise an `InputError` where there are any."""
        if self.count:
            raise InputError(
                f"{source}: {self.count:,} of {rows:,} values in column {self.column!r} are no "
                f"finite numbers ({listed(self._first)}). Correct or remove these rows, or name "
                "another column."
            )
