"""Reading tables of decoded spots."""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed
from napari_gluer.io.hashing import sha256
from napari_gluer.io.spot_columns import SpotColumns, SpotParams, guess_columns
from napari_gluer.io.spot_tables import SpotTable
from napari_gluer.io.spot_values import Names, Unusable, numbers
from napari_gluer.track import Track, silently

_POSITIONS = ("x", "y", "z")
_CORNER = 0.5  # pixels from the first one's corner to its centre


def read_spots(
    path: str | os.PathLike[str], params: SpotParams | None = None, *, track: Track = silently
) -> pd.DataFrame:
    """Read a table of decoded spots: SeqFISH+, MERFISH, Xenium, CosMx and the like.

    Columns are guessed by name and can be set; ``attrs["outcome"]`` says in one line what was
    taken. The table is read in parts: memory is that of the result.

    Parameters
    ----------
    path
        A CSV or TSV, also compressed (``.gz``, ``.bz2``, ``.zst``), or a parquet.
    params
        Columns, unit, origin and which spots to keep; all guessed or kept when None.
    track
        Reports the parts.

    Returns
    -------
    One row a spot, in the order of the file:

    - ``gene``: categories, alphabetical; control probes are kept under their own names
    - ``x``, ``y`` float64 in pixels of the labels, the first pixel's centre being 0: the table's
      values less ``x0``, ``y0``, divided by the pixel size where they are in µm, and for Xenium,
      whose µm count from the first pixel's corner, less half a pixel
    - ``z`` float64, as in the table, where it has one
    - ``cell`` int64, 0 for none; texts (categories, missing for none) where they are no numbers
    - ``quality`` float64, and ``fov`` (int64, or texts), where the table has them
    - ``attrs``: ``columns`` (from these names to the table's), ``unit`` (``px``, or ``um`` where
      positions are in µm and the pixel size is not known), ``frame`` (``local``, ``global`` or
      ""), ``pixel_size_um`` (0 where not known), ``path``, ``sha256``, ``outcome``

    Raises
    ------
    InputError
        If the file is missing or damaged, gene, x or y is not found, a spot has no gene, a
        position is no finite number (the count and the first rows are given), or no spot is left.
    """
    params = params or SpotParams()
    table = SpotTable(path)
    columns = guess_columns(table.header, params, table.path.name)
    gathered = _Gathered(columns, params)
    with table.readable():
        try:
            for batch in track(
                table.batches(list(columns.named().values()), gathered.numeric), "Reading spots"
            ):
                gathered.add(batch)
        except pa.ArrowInvalid:
            _refuse_numbers(table, gathered.numeric, columns)
            raise
        if gathered.lost:
            _refuse_numbers(table, [columns.x, columns.y], columns)
    gathered.refuse(table.path.name)
    spots = gathered.table()
    spots.attrs |= {"path": str(table.path), "sha256": sha256(table.path)}
    return spots


class _Gathered:
    """What was read so far.

    Attributes
    ----------
    numeric
        Columns of the file that are read as numbers.
    lost
        Whether a position is missing or infinite.
    """

    def __init__(self, columns: SpotColumns, params: SpotParams) -> None:
        self._columns, self._params = columns, params
        named = columns.named()
        self._numbers: list[str] = [role for role in (*_POSITIONS, "quality") if role in named]
        self._named: list[str] = [role for role in ("gene", "cell", "fov") if role in named]
        self.numeric = [named[role] for role in self._numbers]
        self._parts: dict[str, list[NDArray[Any]]] = {role: [] for role in self._numbers}
        self._texts = {role: Names() for role in self._named}
        self._fovs = {part.strip() for part in params.only_fov.split(",") if part.strip()}
        self._rows = self._without_gene = 0
        self._first_without: list[int] = []
        self.lost = False
        if self._fovs and "fov" not in named:
            raise InputError(
                "only_fov is set, but the table has no column for the field of view. Name it (fov)."
            )

    def add(self, batch: Any) -> None:
        """Take over a batch: filter its rows, keep positions and codes."""
        named = self._columns.named()
        values = {role: numbers(batch.column(named[role])) for role in self._numbers}
        codes = {role: self._texts[role].add(batch.column(named[role])) for role in self._named}
        self.lost |= not (np.isfinite(values["x"]).all() and np.isfinite(values["y"]).all())
        self._note_nameless(codes["gene"])
        kept = self._kept(values, codes)
        for role, array in values.items():
            self._parts[role].append(array if kept is None else array[kept])
        for role, coded in codes.items():
            self._texts[role].keep(coded if kept is None else coded[kept])
        self._rows += batch.num_rows

    def refuse(self, source: str) -> None:
        """Raise an `InputError` where no spot is left, or spots have no gene."""
        if not self._rows:
            raise InputError(f"{source} has column names but no spot.")
        if self._without_gene:
            rows = listed(f"{row:,}" for row in self._first_without)
            raise InputError(
                f"{source}: {self._without_gene:,} of {self._rows:,} spots have no gene in column "
                f"{self._columns.gene!r} (rows {rows}). Remove them, or name another column."
            )
        if not self._left():
            fovs = listed(self._texts["fov"].known) if "fov" in self._texts else "none"
            raise InputError(
                f"{source}: no spot of {self._rows:,} is left (least_quality "
                f"{self._params.least_quality:g}, only_fov {self._params.only_fov!r}; the fields "
                f"of view are {fovs})."
            )

    def table(self) -> pd.DataFrame:
        """All spots; what was gathered is let go column by column."""
        params, size = self._params, self._pixel_size()
        unit = self._unit()
        divided = unit == "um" and size > 0
        data: dict[str, Any] = {"gene": self._texts.pop("gene").categories()}
        for role in self._numbers:
            array = np.concatenate(self._parts.pop(role))
            if role in ("x", "y"):
                array -= params.x0 if role == "x" else params.y0
                if divided:
                    array /= size
                    array -= _CORNER if self._columns.from_corner else 0.0
            data[role] = array
        if "cell" in self._texts:
            data["cell"] = self._texts.pop("cell").cells()
        if "fov" in self._texts:
            data["fov"] = _fields(self._texts.pop("fov"))
        order = [role for role in ("gene", *_POSITIONS, "cell", "quality", "fov") if role in data]
        spots = pd.DataFrame({role: data[role] for role in order}, copy=False)
        spots.attrs = {
            "columns": self._columns.named(),
            "unit": "px" if divided or unit == "px" else "um",
            "frame": self._columns.frame,
            "pixel_size_um": size,
        }
        spots.attrs["outcome"] = self._outcome(spots, divided=divided)
        return spots

    def _kept(
        self, values: dict[str, NDArray[np.float64]], codes: dict[str, NDArray[np.int32]]
    ) -> NDArray[np.bool_] | None:
        """Which rows of a batch stay; None for all."""
        least = self._params.least_quality
        good = values["quality"] >= least if least and "quality" in values else None
        if not self._fovs:
            return good
        known = [code for text, code in self._texts["fov"].known.items() if text in self._fovs]
        chosen = np.isin(codes["fov"], known)
        return chosen if good is None else chosen & good

    def _note_nameless(self, codes: NDArray[np.int32]) -> None:
        nameless = np.flatnonzero(codes < 0)
        self._without_gene += len(nameless)
        first = nameless[: 3 - len(self._first_without)] + self._rows + 1
        self._first_without += [int(row) for row in first]

    def _left(self) -> int:
        return sum(len(part) for part in self._parts["x"])

    def _pixel_size(self) -> float:
        return self._params.pixel_size_um or self._columns.pixel_size_um

    def _unit(self) -> str:
        if self._params.unit != "auto":
            return self._params.unit
        return self._columns.unit or ("um" if self._params.pixel_size_um else "px")

    def _outcome(self, spots: pd.DataFrame, *, divided: bool) -> str:
        named = self._columns.named()
        taken = ", ".join(f"{role} from {name!r}" for role, name in named.items())
        parts = [f"{len(spots):,} spots of {spots['gene'].cat.categories.size:,} genes: {taken}"]
        left_out = self._rows - len(spots)
        parts += [f"{left_out:,} spots left out by quality or field of view"] if left_out else []
        if divided:
            corner = ", from the first one's corner" if self._columns.from_corner else ""
            parts.append(f"positions divided by {self._pixel_size():g} µm a pixel{corner}")
        elif self._unit() == "um":
            parts.append("positions in µm, the pixel size is not known")
        if self._columns.frame:
            parts.append(f"positions {self._columns.frame} to the " + _FRAMES[self._columns.frame])
        if self._params.least_quality and "quality" not in named:
            parts.append("no quality column, so no spot was left out")
        return "; ".join(parts) + "."


_FRAMES = {"local": "field of view", "global": "slide"}


def _fields(names: Names) -> Any:
    """Fields of view as whole numbers where all are, else as texts."""
    texts = names.categories()
    whole = [str(text) for text in texts.categories]
    if (texts.codes < 0).any() or not all(text.isdecimal() and len(text) < 19 for text in whole):
        return texts
    return np.array([int(text) for text in whole], np.int64)[texts.codes]


def _refuse_numbers(table: SpotTable, names: Iterable[str], columns: SpotColumns) -> None:
    """Read the file again, as text, and say what is no number where."""
    wrong = [Unusable(name) for name in names]
    needed = {columns.x, columns.y}
    rows = 0
    for batch in table.texts([one.column for one in wrong]):
        for one in wrong:
            one.add(batch.column(one.column), rows + 1, missing=one.column in needed)
        rows += batch.num_rows
    for one in wrong:
        one.refuse(table.path.name, rows)
