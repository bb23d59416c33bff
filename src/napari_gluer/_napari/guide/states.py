"""How far a labels layer has come: which steps are done, and one line on each; no widgets."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels

from napari_gluer import slots
from napari_gluer._napari.attached import cells_of, measured_of, reference_of
from napari_gluer._napari.images import sources
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.references.columns import label_columns
from napari_gluer._napari.spots import spot_sources

TITLES = ("Image", "Cells", "Reference", "Integrate", "Explore")


@dataclass(frozen=True)
class State:
    """How far one step is.

    Attributes
    ----------
    title
        Of the step.
    outcome
        One line on what came of it; "" while it is not done.
    opens
        Whether it can be done now.
    """

    title: str
    outcome: str
    opens: bool

    @property
    def is_done(self) -> bool:
        """Whether something came of it."""
        return bool(self.outcome)


def states(viewer: ViewerModel, layer: Labels | None) -> list[State]:
    """The five steps in order, as they stand for `layer`.

    A step opens when all before it are done; looking at what was painted is never needed.
    """
    found: list[State] = []
    opens = True
    for title, line in zip(TITLES, _lines(viewer, layer), strict=True):
        outcome = line()
        found.append(State(title, outcome, opens))
        opens = opens and bool(outcome)
    return found


def _lines(viewer: ViewerModel, layer: Labels | None) -> list[Callable[[], str]]:
    cells = None if layer is None else cells_of(layer)
    reference = None if layer is None else reference_of(layer)
    return [
        lambda: _image(viewer, layer),
        lambda: "" if cells is None else _cells(cells),
        lambda: "" if reference is None else _reference(reference),
        lambda: "" if cells is None or slots.WEIGHTS not in cells.obsm else _integrated(cells),
        lambda: "" if layer is None else _shown(layer),
    ]


def _image(viewer: ViewerModel, layer: Labels | None) -> str:
    """What there is to start from: an image, else spots, else a table that came with labels."""
    images = sources(viewer)
    if images:
        image = images[0].image
        size = " × ".join(f"{side:,}" for side in reversed(image.data.shape[1:]))
        number = len(image.channels)
        return f"{number} {'channel' if number == 1 else 'channels'}, {size} px, {_pixel(image)}"
    spots = spot_sources(viewer)
    if spots:
        return f"{len(spots[0][1].data):,} spots"
    table = None if layer is None else measured_of(layer)
    return "" if table is None else f"a table of {table.n_obs:,} cells, no image"


def _pixel(image: object) -> str:
    spacing: tuple[float, ...] | None = getattr(image, "spacing_um", None)
    if spacing is None:
        return "pixel size unknown"
    sides = dict.fromkeys(f"{side:.3g}" for side in spacing)
    return f"{' × '.join(sides)} µm a pixel"


def _cells(cells: AnnData) -> str:
    report = slots.info(cells).get(slots.CLEAN)
    text = f"{cells.n_obs:,} cells"
    if not isinstance(report, dict):
        return text
    reasons = {reason: n for reason, n in report["reasons"].items() if n}
    if not reasons:
        return text
    each = ", ".join(f"{n:,} {reason}" for reason, n in reasons.items())
    return f"{text}; {sum(reasons.values()):,} dropped: {each}"


def _reference(reference: AnnData) -> str:
    columns = label_columns(reference)
    types = f", {reference.obs[columns[0]].nunique()} {columns[0]} labels" if columns else ""
    return f"{reference.n_obs:,} cells × {reference.n_vars:,} genes{types}"


def _integrated(cells: AnnData) -> str:
    links = len(json.loads(slots.info(cells).get("links", "{}")))
    without = int(slots.unmatched(cells).sum())
    return f"{links} linked features; {without:,} of {cells.n_obs:,} cells unmatched"


def _shown(layer: Labels) -> str:
    shown = linked_of(layer).shown
    return "" if shown is None else shown.title
