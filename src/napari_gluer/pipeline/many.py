"""Runs over several images: a folder each, what is finished skipped, failures told at the end."""

import json
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import pandas as pd
from anndata import AnnData

from napari_gluer.errors import InputError
from napari_gluer.io.atomic import atomic_path
from napari_gluer.io.references import read_reference
from napari_gluer.pipeline.matching import folder_names
from napari_gluer.pipeline.model import Inputs, PipelineParams
from napari_gluer.pipeline.records import finished, of_another_source
from napari_gluer.pipeline.running import How, run_read
from napari_gluer.pipeline.steps import check_wishes
from napari_gluer.tiles import TileParams
from napari_gluer.track import Cancelled, Track, silently, stopper

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What came of one image.

    Attributes
    ----------
    name
        Of its folder.
    source
        The image, or table.
    status
        ``done``; ``skipped``, because the folder holds this very run; ``failed``; ``waiting``.
    seconds
        That it took.
    reason
        Why it failed, for a person.
    numbers
        Cells, unmatched cells and clusters.
    traceback
        Of a fault of the program.
    """

    name: str
    source: str
    status: Literal["done", "skipped", "failed", "waiting"] = "waiting"
    seconds: float = 0.0
    reason: str = ""
    numbers: dict[str, int] = field(default_factory=dict)
    traceback: str = ""

    @property
    def text(self) -> str:
        """One line for a person."""
        if self.status == "failed":
            return f"{self.name}: failed. {self.reason}"
        cells = f"{self.numbers.get('cells', 0):,} cells"
        if self.status == "skipped":
            return f"{self.name}: finished before, {cells}"
        return f"{self.name}: {cells} in {self.seconds:.0f} s"


def run_many(
    inputs: Sequence[Inputs],
    out: Path | str,
    params: PipelineParams = PipelineParams(),  # noqa: B008 - frozen
    *,
    seed: int = 0,
    tiles: TileParams | None = None,
    track: Track = silently,
) -> list[Outcome]:
    """Run all steps on several images, each by itself, into a folder each.

    Folders are ``out/<stem of the source>``, see `run`. An image whose folder holds this very run
    (contents of the inputs, parameters, seed, version of this package) is skipped, so the same
    call goes on after a kill. An image that fails does not stop the others. ``out/summary.csv``
    and ``out/summary.json`` are written anew after every image. The reference is read once.

    Parameters
    ----------
    inputs
        One for each image, or table; all with the same reference.
    out
        Folder of the folders.
    params, seed, tiles
        As of `run`, for all of them.
    track
        Wraps every long loop; descriptions begin with the name of the image.

    Returns
    -------
    One outcome for each input, in order.

    Raises
    ------
    InputError
        If sources cannot be told apart, references differ, or the reference cannot be used; an
        input that cannot be used is an `Outcome` that failed.
    """
    how = How(params, seed, tiles, track)
    return list(track(each_of_many(inputs, Path(out), how), "Images"))


def each_of_many(inputs: Sequence[Inputs], out: Path, how: How) -> Iterable[Outcome]:
    """The outcomes of `run_many`, each as soon as it is known."""
    if not inputs:
        raise InputError("There is no image to run.")
    if len({str(one.reference) if _is_path(one) else id(one.reference) for one in inputs}) > 1:
        raise InputError("Images that are run together have one reference; run the others apart.")
    return _Outcomes(inputs, out, how)


@dataclass
class _Outcomes:
    """The runs, one after the other; has a length, so that progress can tell the time left."""

    inputs: Sequence[Inputs]
    out: Path
    how: How

    def __post_init__(self) -> None:
        self.names = _names([one.source for one in self.inputs])
        self.known = [
            Outcome(name, _said(one.source))
            for name, one in zip(self.names, self.inputs, strict=True)
        ]

    def __len__(self) -> int:
        return len(self.inputs)

    def __iter__(self) -> Iterator[Outcome]:
        reference = cache(lambda: _reference(self.inputs[0], self.how.params))
        for number, one in enumerate(self.inputs):
            self.known[number] = _outcome(self.known[number], one, self.out, self.how, reference)
            write_summary(self.known, self.out)
            yield self.known[number]


def write_summary(outcomes: Sequence[Outcome], out: Path) -> None:
    """``summary.csv`` and ``summary.json``: one row an image."""
    rows = [
        {"name": one.name, "status": one.status, **_counted(one), "seconds": round(one.seconds, 1)}
        | {"reason": one.reason, "source": one.source}
        for one in outcomes
    ]
    with atomic_path(out / "summary.csv") as partial:
        pd.DataFrame(rows).to_csv(partial, index=False)
    text = json.dumps([asdict(one) for one in outcomes], indent=2, ensure_ascii=False)
    with atomic_path(out / "summary.json") as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def _counted(one: Outcome) -> dict[str, Any]:
    return {key: one.numbers.get(key, "") for key in ("cells", "unmatched", "clusters")}


def _outcome(
    waiting: Outcome, one: Inputs, out: Path, how: How, reference: Callable[[], AnnData]
) -> Outcome:
    folder, start = out / waiting.name, time.perf_counter()
    record = _record(folder, one, how)
    if record is not None:
        return replace(waiting, status="skipped", numbers=record.get("numbers", {}))
    atlas = reference()  # what is wrong with it is wrong with all, and stops the whole call
    try:
        numbers = _run_one(one, atlas, folder, replace(how, track=_Named(how.track, waiting.name)))
    except Cancelled:
        raise
    except InputError as error:
        failed, trace = str(error), ""
    except MemoryError:
        failed, trace = "There was not enough memory.", traceback.format_exc()
    except Exception as error:  # noqa: BLE001 - one image must not stop the others
        failed = f"A fault of the program ({type(error).__name__}: {error}); see summary.json."
        trace = traceback.format_exc()
    else:
        seconds = time.perf_counter() - start
        return replace(waiting, status="done", seconds=seconds, numbers=numbers)
    seconds = time.perf_counter() - start
    return replace(waiting, status="failed", seconds=seconds, reason=failed, traceback=trace)


def _record(folder: Path, one: Inputs, how: How) -> dict[str, Any] | None:
    try:
        return finished(folder, one, how.params, how.seed)
    except OSError:  # a missing input is told when it is opened
        return None


def _run_one(one: Inputs, reference: AnnData, folder: Path, how: How) -> dict[str, int]:
    other = of_another_source(folder, one)
    if other:
        raise InputError(f"{folder} holds the results of {other}; give another folder as out.")
    return run_read(one, replace(one, reference=reference), folder, how).numbers


def _reference(inputs: Inputs, params: PipelineParams) -> AnnData:
    given = inputs.reference
    reference = given if isinstance(given, AnnData) else read_reference(given)
    check_wishes(params, reference)
    return reference


class _Named:
    """A track that says which image it is about."""

    def __init__(self, track: Track, name: str) -> None:
        self.track, self.name = track, name
        self.stop_if_asked = stopper(track)

    def __call__(self, items: Iterable[T], desc: str, /) -> Iterable[T]:
        """Track `items` under the name of the image."""
        return self.track(items, f"{self.name}: {desc}")


def _is_path(inputs: Inputs) -> bool:
    return isinstance(inputs.reference, str | Path)


def _said(source: object) -> str:
    return str(source) if isinstance(source, str | Path) else f"{type(source).__name__} in memory"


def _names(sources: Sequence[object]) -> list[str]:
    """Folders of the sources; what is in memory is numbered."""
    places: list[str | Path] = [
        one if isinstance(one, str | Path) else f"image_{number}"
        for number, one in enumerate(sources, start=1)
    ]
    return folder_names(places)
