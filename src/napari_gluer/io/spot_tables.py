"""Tables of spots as streams of record batches: CSV, TSV, compressed or not, and parquet."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from napari_gluer.errors import InputError, listed

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
PARQUET_SUFFIXES = (".parquet", ".pq")
COMPRESSED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_BLOCK = 16 << 20  # bytes of text, some quarter of a million spots
_ROWS = 500_000
_GZIP = b"\x1f\x8b"
_LONGEST_HEADER = 1 << 20


class SpotTable:
    """A table on disk; batches are read when they are asked for.

    Parameters
    ----------
    path
        A CSV or TSV (comma, tab or semicolon between values; ``.gz``, ``.bz2``, ``.zst`` too), or
        a parquet.

    Raises
    ------
    InputError
        If the file is missing, empty, of another kind or damaged.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"There is no file {self.path}.")
        suffixes = [suffix.casefold() for suffix in self.path.suffixes]
        self.is_parquet = bool(suffixes) and suffixes[-1] in PARQUET_SUFFIXES
        plain = suffixes[:-1] if suffixes and suffixes[-1] in COMPRESSED else suffixes
        if not self.is_parquet and (not plain or plain[-1] not in TEXT_SUFFIXES):
            raise InputError(
                f"{self.path.name} is not a table of spots by its name. Readable are "
                f"{listed(TEXT_SUFFIXES + PARQUET_SUFFIXES)}, the first three also with "
                f"{listed(COMPRESSED)}."
            )
        self._compression = None if self.is_parquet else self._found_compression()
        with self.readable():
            self.header = self._parquet_header() if self.is_parquet else self._text_header()

    def batches(self, columns: Sequence[str], numbers: Sequence[str]) -> Iterator[Any]:
        """Record batches of `columns`.

        Parameters
        ----------
        columns
            Names, each once in the header.
        numbers
            Those that are read as float64; the others are read as text, in dictionaries.

        Raises
        ------
        InputError
            If the file ends early or is damaged.
        pyarrow.ArrowInvalid
            If one of `numbers` holds text.
        """
        if self.is_parquet:
            yield from self._parquet_batches(columns)
            return
        coded = pa.dictionary(pa.int32(), pa.string())
        types = {name: pa.float64() if name in numbers else coded for name in columns}
        yield from self._text_batches(types)

    def texts(self, columns: Sequence[str]) -> Iterator[Any]:
        """Record batches of `columns` as they stand in the file, CSV as text."""
        if self.is_parquet:
            yield from self._parquet_batches(columns)
        else:
            yield from self._text_batches({name: pa.string() for name in columns})

    @contextmanager
    def readable(self) -> Iterator[None]:
        """What pyarrow raises on a damaged file comes out as `InputError`."""
        try:
            yield
        except (OSError, EOFError, UnicodeError, pa.ArrowException) as error:
            raise InputError(
                f"{self.path.name} cannot be read: {str(error).splitlines()[0]}. It may be cut "
                "short, or not be the table that its name says; copy or export it again."
            ) from error

    def _found_compression(self) -> str | None:
        with self.path.open("rb") as file:
            start = file.read(2)
        named = COMPRESSED.get(self.path.suffix.casefold())
        if start == _GZIP:
            return "gzip"
        return None if named == "gzip" and start else named

    def _text_header(self) -> list[str]:
        with pa.input_stream(self.path, compression=self._compression) as stream:
            start = stream.read(_LONGEST_HEADER).removeprefix(b"\xef\xbb\xbf")
        if not start.strip():
            raise InputError(f"{self.path.name} is empty.")
        line = start.splitlines()[0]
        self._delimiter = max("\t,;", key=lambda mark: line.count(mark.encode()))
        options = pa_csv.ParseOptions(delimiter=self._delimiter)
        one = pa_csv.read_csv(
            pa.py_buffer(line + b"\n"),
            read_options=pa_csv.ReadOptions(autogenerate_column_names=True),
            parse_options=options,
            convert_options=pa_csv.ConvertOptions(
                column_types={f"f{i}": pa.string() for i in range(len(line))}
            ),
        )
        return [str(column[0].as_py()).strip() for column in one.columns]

    def _text_batches(self, types: Mapping[str, Any]) -> Iterator[Any]:
        # columns by position: names may be repeated, or padded with spaces
        names = [f"f{i}" for i in range(len(self.header))]
        position = {name: f"f{self.header.index(name)}" for name in types}
        with pa.input_stream(self.path, compression=self._compression) as stream:
            reader = pa_csv.open_csv(
                stream,
                read_options=pa_csv.ReadOptions(
                    block_size=_BLOCK, column_names=names, skip_rows=1, use_threads=True
                ),
                parse_options=pa_csv.ParseOptions(delimiter=self._delimiter),
                convert_options=pa_csv.ConvertOptions(
                    include_columns=list(position.values()),
                    column_types={position[name]: kind for name, kind in types.items()},
                ),
            )
            for batch in reader:
                yield batch.rename_columns(list(types))

    def _parquet_header(self) -> list[str]:
        with pq.ParquetFile(self.path) as file:
            return list(file.schema_arrow.names)

    def _parquet_batches(self, columns: Sequence[str]) -> Iterator[Any]:
        with pq.ParquetFile(self.path) as file:
            schema = file.schema_arrow
            written = [name for name in columns if _is_text(schema.field(name).type)]
        with pq.ParquetFile(self.path, read_dictionary=written) as file:
            for batch in file.iter_batches(_ROWS, columns=list(columns)):
                batch.validate(full=True)  # a damaged file can hold codes beyond its dictionary
                yield batch.select(list(columns))


def _is_text(kind: Any) -> bool:
    return any(
        check(kind)
        for check in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_binary,
            pa.types.is_large_binary,
        )
    )
