"""What a run would do with each input, told from headers: nothing is written, no pixel read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_gluer.errors import InputError
from napari_gluer.io.labels_files import open_labels
from napari_gluer.io.outlines import is_outlines
from napari_gluer.io.zarr_stores import is_address
from napari_gluer.pipeline.estimating import Estimate, estimate, unknown_parts
from napari_gluer.pipeline.finding import is_spots, is_table
from napari_gluer.pipeline.headers import Size, size_of_image, size_of_spots, size_of_table
from napari_gluer.pipeline.model import Inputs, PipelineParams
from napari_gluer.pipeline.records import finished


@dataclass(frozen=True)
class Plan:
    """What would be done with one input.

    Attributes
    ----------
    name, folder
        Of the results.
    size
        Of the source, for a person.
    steps
        That would be done, in order; empty where it is finished or cannot be used.
    problem
        Why it cannot be used.
    finished
        Whether the folder holds this very run, as far as can be told without reading the files.
    estimate
        What it may take; None where nothing would be done.
    """

    name: str
    folder: Path
    size: str = ""
    steps: tuple[str, ...] = ()
    problem: str = ""
    finished: bool = False
    estimate: Estimate | None = None

    @property
    def text(self) -> str:
        """One line for a person."""
        if self.problem:
            return f"{self.name}: CANNOT BE USED. {self.problem}"
        if self.finished:
            return f"{self.name}: {self.size}; finished already in {self.folder}, to be skipped"
        found = f"{self.name}: {self.size}; {', '.join(self.steps)}, into {self.folder}"
        if self.estimate is None:
            return found
        took = f"{time_text(self.estimate.seconds)}, {memory_text(self.estimate)}"
        return f"{found}; about {_about(self.estimate.cells)} cells, {took}"


def plan(
    inputs: Sequence[Inputs], folders: Sequence[Path], params: PipelineParams, seed: int
) -> list[Plan]:
    """What `run` would do with every input.

    Parameters
    ----------
    inputs
        Whose sources, reference, masks and regions are files or addresses.
    folders
        One for each input.
    params, seed
        Of the run.

    Raises
    ------
    InputError
        If the reference cannot be used.
    """
    reference = size_of_table(str(inputs[0].reference))
    return [
        _planned(one, folder, reference, params, seed)
        for one, folder in zip(inputs, folders, strict=True)
    ]


def _planned(one: Inputs, folder: Path, reference: Size, params: PipelineParams, seed: int) -> Plan:
    name = folder.name
    try:
        size = _size(one)
        _require_masks(one, size)
    except InputError as error:
        return Plan(name, folder, problem=str(error))
    if finished(folder, one, params, seed, by_content=False) is not None:
        return Plan(name, folder, size.text, finished=True)
    masks = one.masks is not None
    expected = estimate(size, reference, params, masks=masks)
    doubt = unknown_parts(params, masks=masks) if size.pixels else ""
    steps = (*_steps(one, masks=masks), *([doubt] if doubt else []))
    return Plan(name, folder, size.text, steps, estimate=expected)


def _size(one: Inputs) -> Size:
    source = one.source
    if not isinstance(source, str | Path):
        raise InputError("Only files can be planned for.")
    if is_table(source):
        return size_of_table(source)
    return size_of_spots(source) if is_spots(source) else size_of_image(source, one.reading)


def _require_masks(one: Inputs, size: Size) -> None:
    if one.masks is None:
        if size.spots:
            raise InputError("Spots need cells: give a labels image as masks.")
        return
    path = str(one.masks)
    if not is_address(path) and not Path(path).exists():
        raise InputError(f"There is no file {path}.")
    if is_address(path) or not is_outlines(Path(path)):  # outlines have no shape of their own
        pixels = open_labels(path).data.shape
        count = 1
        for length in pixels:
            count *= int(length)
        if size.pixels and count != size.pixels:
            raise InputError(f"{path} has {count:,} pixels and the image {size.pixels:,}.")


def _steps(one: Inputs, *, masks: bool) -> tuple[str, ...]:
    if is_table(one.source):
        first = "join the masks" if masks else "draw the cells as discs"
        return (first, *_LATER)
    if is_spots(one.source):
        return ("assign the spots to the masks", *_LATER)
    return (
        "measure the masks" if masks else "find the cells",
        *([] if masks else ["measure"]),
        *_LATER,
    )


_LATER = ("clean", "integrate", "cluster", "paint")


def time_text(seconds: float) -> str:
    """``40 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def memory_text(estimate: Estimate) -> str:
    """``1.2 GB``."""
    return f"{estimate.bytes / 1e9:.1f} GB"


def _about(number: int) -> str:
    return f"{int(float(f'{number:.1e}')):,}"
