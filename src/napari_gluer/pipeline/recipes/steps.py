"""Everything that can be done to the cells of a tissue, as plain data."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from napari_gluer.analysis.clustering import ClusterParams
from napari_gluer.errors import listed
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.io.cells import Kind
from napari_gluer.io.images import ImageParams
from napari_gluer.io.spot_columns import SpotParams
from napari_gluer.io.subsampling import SubsampleParams
from napari_gluer.measurement.clean import CleanParams
from napari_gluer.measurement.params import MeasureParams
from napari_gluer.measurement.spots import AssignParams
from napari_gluer.pipeline.exporting import ExportParams
from napari_gluer.segmentation.discs import DiscParams
from napari_gluer.segmentation.nuclei import SegmentParams


class Record(BaseModel):
    """Something that is remembered: frozen, strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Data(Record):
    """Something that a step starts from: a file, or what was only in memory."""

    path: str = ""
    """Of the file or folder, absolute; or an address. Empty where there is none."""

    sha256: str = ""
    """Of the file when it was used, "" where not known."""

    kept: str = ""
    """Key of what has no file; it is written beside a script that needs it."""

    by_hand: bool = False
    """Whether a person drew it, so that nothing can make it anew."""


class Segmented(Record):
    """Cells were found in an image."""

    kind: Literal["segment"] = "segment"
    image: Data
    reading: ImageParams = ImageParams()
    params: SegmentParams = SegmentParams()
    regions: Data | None = None


class Masked(Record):
    """Cells of a labels image were taken."""

    kind: Literal["masks"] = "masks"
    labels: Data


class Measured(Record):
    """The cells were measured in an image."""

    kind: Literal["measure"] = "measure"
    image: Data
    reading: ImageParams = ImageParams()
    params: MeasureParams = MeasureParams()
    nuclei: Data | None = None
    regions: Data | None = None


class Assigned(Record):
    """Decoded spots were counted in the cells."""

    kind: Literal["assign spots"] = "assign spots"
    spots: Data
    columns: SpotParams = SpotParams()
    params: AssignParams = AssignParams()
    regions: Data | None = None


class Tabled(Record):
    """Cells were read from a table, and drawn as discs where `draw` says so."""

    kind: Literal["table"] = "table"
    cells: Data
    values: Kind = "detect"
    draw: DiscParams | None = None


class Edited(Record):
    """A person set roles and genes of channels, or kept some out of the link."""

    kind: Literal["markers"] = "markers"
    columns: dict[str, tuple[str | bool, ...]]
    """Columns of ``var`` after the edit."""
    channels: tuple[str, ...]
    """Names of its rows."""
    file: str = ""
    """Where they were written, beside a script."""


class Cleaned(Record):
    """The measurements were cleaned."""

    kind: Literal["clean"] = "clean"
    params: CleanParams = CleanParams()


class Referenced(Record):
    """A single-cell reference was opened."""

    kind: Literal["reference"] = "reference"
    reference: Data
    subsample: SubsampleParams | None = None
    seed: int = 0


class Section(Record):
    """Another tissue section, and what was done to its cells before it was integrated."""

    name: str
    steps: tuple["Step", ...] = ()


class Integrated(Record):
    """Cells and reference were integrated, alone or with other sections."""

    kind: Literal["integrate"] = "integrate"
    params: IntegrateParams = IntegrateParams()
    seed: int = 0
    columns: tuple[str, ...] = ()
    """Label columns of the reference that were transferred."""
    cluster: ClusterParams | None = None
    cluster_seed: int = 0
    sections: tuple[Section, ...] = ()
    """The other sections, in order."""
    place: int = 0
    """Place of these cells among all."""


class Selected(Record):
    """Named selections were saved in ``obs``."""

    kind: Literal["selection"] = "selection"
    named: dict[str, tuple[int, ...]]
    """Labels of the cells of each."""
    file: str = ""
    """Where they were written, beside a script."""


class Exported(Record):
    """Imputed genes were written to a file."""

    kind: Literal["export"] = "export"
    name: str
    genes: tuple[str, ...] | None = None
    params: ExportParams = ExportParams()


class Replaced(Record):
    """The table was changed in a way that no public function repeats; it is kept as it was then."""

    kind: Literal["replaced"] = "replaced"
    what: str
    """What was done, in a few words."""
    cells: Data
    measured: Data | None = None
    labels: Data | None = None


Step = Annotated[
    Segmented
    | Masked
    | Measured
    | Assigned
    | Tabled
    | Edited
    | Cleaned
    | Referenced
    | Integrated
    | Selected
    | Exported
    | Replaced,
    Field(discriminator="kind"),
]
"""One step; told from others by ``kind``."""

Section.model_rebuild()
Integrated.model_rebuild()
_STEPS: TypeAdapter[tuple[Step, ...]] = TypeAdapter(tuple[Step, ...])


def steps_from_json(stored: Any) -> tuple[Step, ...]:
    """Steps from what `steps_to_json` gave.

    Raises
    ------
    pydantic.ValidationError
        If something else was given.
    """
    return _STEPS.validate_python(stored)


def steps_to_json(steps: tuple[Step, ...]) -> list[dict[str, Any]]:
    """Steps as what JSON can hold."""
    found: list[dict[str, Any]] = _STEPS.dump_python(steps, mode="json")
    return found


def data_of(step: Step) -> list[Data]:
    """Everything that a step starts from, that of other sections too."""
    found = [value for _, value in step if isinstance(value, Data)]
    if isinstance(step, Integrated):
        found += [
            one for section in step.sections for each in section.steps for one in data_of(each)
        ]
    return found


def said(step: Step) -> str:
    """A step in a few words."""
    match step:
        case Segmented():
            text = f"Find cells in {named(step.image, 'the image')}{_within(step.regions)}"
        case Masked():
            by_hand = " (drawn or changed by hand)" if step.labels.kept else ""
            text = f"Take the cells of {named(step.labels, 'a labels layer')}{by_hand}"
        case Measured():
            text = f"Measure them in {named(step.image, 'the image')}{_within(step.regions)}"
        case Assigned():
            text = f"Count spots of {named(step.spots, 'a points layer')}{_within(step.regions)}"
        case Tabled():
            text = f"Read cells from {named(step.cells, 'a table')}"
        case Referenced():
            part = "" if step.subsample is None else f", at most {step.subsample.n_cells:,} cells"
            text = f"Open reference {named(step.reference, 'that was attached')}{part}"
        case Integrated():
            number = len(step.sections)
            more = f" with {number} more section{'s' * (number > 1)}" if number else ""
            text = f"Integrate{more} (preset {step.params.preset}, seed {step.seed})"
        case _:
            text = _said_shortly(step)
    return text


def _said_shortly(step: Step) -> str:
    match step:
        case Edited():
            text = "Change markers and genes"
        case Selected():
            names = listed([f"“{name}”" for name in step.named], 3)
            text = f"Save the selections {names} in the table"
        case Exported():
            genes = "all" if step.genes is None else f"{len(step.genes):,}"
            text = f"Save {genes} imputed genes to {step.name}"
        case Replaced():
            text = step.what
        case _:
            text = "Clean the measurements"
    return text


def named(data: Data, otherwise: str) -> str:
    """Name of the file, `otherwise` where there is none."""
    return data.path.replace("\\", "/").rstrip("/").rpartition("/")[2] or otherwise


def _within(regions: Data | None) -> str:
    return "" if regions is None else ", within regions"
