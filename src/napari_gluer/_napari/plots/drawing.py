"""What is drawn: the numbers of a plot, its caption, and the figure at any width."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

import numpy as np
import pandas as pd
from anndata import AnnData
from annotated_types import Ge, Gt, Le
from matplotlib.figure import Figure
from numpy.typing import NDArray

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.paintables import Origin, Paintable, numbers
from napari_gluer._napari.plots.grouping import Grouped
from napari_gluer.errors import InputError
from napari_gluer.figures.dot_figure import dot_plot_figure
from napari_gluer.figures.dots import dot_plot
from napari_gluer.figures.group_violins import group_violin_figure
from napari_gluer.figures.heat_map import (
    cell_heat_map_figure,
    group_means,
    heat_map_figure,
    sorted_cells,
)
from napari_gluer.figures.params import FigureParams
from napari_gluer.figures.profile import profile, profile_figure
from napari_gluer.params import Params

Array = NDArray[np.float64]


class Kind(Enum):
    """Kinds of plots; the text is shown."""

    VIOLIN = "violins"
    DOTS = "dot plot"
    HEAT = "heat map of groups"
    CELLS = "heat map of cells"
    PROFILE = "profile along a line"

    @property
    def has_groups(self) -> bool:
        """Whether cells are grouped."""
        return self is not Kind.PROFILE


class MapParams(Params):
    """Look of dot plots and heat maps."""

    standardised: bool = True
    """Bring every gene from 0 (lowest) to 1 (highest), so that genes of different scale can be
    seen together. Off: values as they are."""

    most_cells: Annotated[int, Ge(10), Le(20_000)] = 1000
    """Heat map of cells: how many to draw; every group keeps its share, drawn at random."""

    seed: Annotated[int, Ge(0)] = 0
    """Heat map of cells: seed of the draw. The same seed draws the same cells."""


class LineParams(Params):
    """A profile along a line."""

    line_width: Annotated[float, Gt(0)] = 50.0
    """Width of the band around the line, in µm (in pixels where their size is not known): cells
    count whose centre is in it."""

    bin_width: Annotated[float, Gt(0)] = 20.0
    """Length of a bin along the line, in the same unit."""


@dataclass(frozen=True, eq=False)
class Line:
    """A drawn line and the cells, in one unit.

    Attributes
    ----------
    corners
        ``(m, d)``.
    places
        ``(n_cells, d)``: centres of the cells in the order of the table.
    unit
        ``µm`` or ``px``.
    """

    corners: Array
    places: Array
    unit: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Request:
    """Everything that a plot depends on; belongs to no layer.

    Attributes
    ----------
    kind, look, along
        What to draw.
    cells, reference
        The tables.
    genes
        What is plotted: markers, imputed genes, columns of numbers.
    groups
        Of the cells.
    grouped_by
        What they are, in words.
    colors
        Of groups, by name.
    line
        Of a profile.
    """

    kind: Kind
    look: MapParams
    along: LineParams
    cells: AnnData
    reference: AnnData | None
    genes: tuple[Paintable, ...]
    groups: Grouped
    grouped_by: str = ""
    colors: dict[str, str] = field(default_factory=dict)
    line: Line | None = None


@dataclass(frozen=True, eq=False)
class Drawn:
    """A plot.

    Attributes
    ----------
    data
        Exactly the numbers that are drawn.
    caption
        What is drawn, of how many cells, and what was left out.
    figure
        Makes the figure; in print, or as wide as a panel.
    """

    data: pd.DataFrame
    caption: str
    figure: Callable[[FigureParams], Figure]


def drawn(request: Request) -> Drawn:
    """The numbers of a plot, and how it is drawn.

    Raises
    ------
    InputError
        If nothing is chosen to be plotted, or a choice cannot be drawn.
    """
    if not request.genes:
        raise InputError("Choose at least one gene: type its name under “Add”, then Enter.")
    rows = request.groups.rows
    values = gene_values(request.cells, request.reference, request.genes).iloc[rows]
    labels = slots.cell_labels(request.cells)[rows]
    draw = {
        Kind.VIOLIN: _violins,
        Kind.DOTS: _dots,
        Kind.HEAT: _heat,
        Kind.CELLS: _cells,
        Kind.PROFILE: _profile,
    }[request.kind]
    return draw(request, values.reset_index(drop=True), labels)


def gene_values(
    cells: AnnData, reference: AnnData | None, genes: Sequence[Paintable]
) -> pd.DataFrame:
    """Cells × genes, columns named with their origin; imputed genes of unmatched cells are NaN."""
    imputed = [one.name for one in genes if one.origin is Origin.GENE]
    columns: dict[str, NDArray[np.float32]] = {}
    if imputed and reference is not None:
        found = ng.impute(cells, reference, imputed)
        found[slots.unmatched(cells)] = np.nan
        columns = dict(zip(imputed, found.T, strict=True))
    return pd.DataFrame(
        {
            one.layer_name: columns[one.name]
            if one.origin is Origin.GENE
            else numbers(one, cells, reference)
            for one in genes
        },
        index=cells.obs_names,
    )


def _violins(request: Request, values: pd.DataFrame, labels: NDArray[np.int64]) -> Drawn:
    groups = request.groups.categories
    table = _with_groups(values, labels, groups).melt(
        ["label", "group"], var_name="gene", value_name="value"
    )
    return Drawn(
        table,
        _caption(request, "Violins: kernel densities; bar: quartiles; dot: median."),
        lambda params: group_violin_figure(values, groups, params=_colored(request, params)),
    )


def _dots(request: Request, values: pd.DataFrame, labels: NDArray[np.int64]) -> Drawn:  # noqa: ARG001 - one signature
    table = dot_plot(values, request.groups.categories)
    standardised = request.look.standardised
    return Drawn(
        table,
        _caption(request, "Area: share of cells above 0; colour: mean."),
        lambda params: dot_plot_figure(table, standardised=standardised, params=params),
    )


def _heat(request: Request, values: pd.DataFrame, labels: NDArray[np.int64]) -> Drawn:  # noqa: ARG001 - one signature
    groups, standardised = request.groups.categories, request.look.standardised
    means = group_means(values, groups)
    table = means.rename_axis(index="gene", columns=None).reset_index()
    return Drawn(
        table,
        _caption(request, "Mean of each gene in each group; the data holds the means."),
        lambda params: heat_map_figure(values, groups, standardised=standardised, params=params),
    )


def _cells(request: Request, values: pd.DataFrame, labels: NDArray[np.int64]) -> Drawn:
    chosen, standardised = request.look, request.look.standardised
    cells = sorted_cells(
        values, request.groups.categories, most=chosen.most_cells, seed=chosen.seed
    )
    table = cells.copy()
    table.insert(0, "label", labels[cells.index])
    some = ""
    if len(cells) < len(values):
        some = f" {len(cells):,} of {len(values):,} cells, drawn at random (seed {chosen.seed})."
    return Drawn(
        table.reset_index(drop=True),
        _caption(request, f"Genes in single cells.{some}"),
        lambda params: cell_heat_map_figure(
            cells, standardised=standardised, params=_colored(request, params)
        ),
    )


def _profile(request: Request, values: pd.DataFrame, labels: NDArray[np.int64]) -> Drawn:  # noqa: ARG001 - one signature
    line, chosen = request.line, request.along
    if line is None:
        raise InputError("Draw a line first: press “Draw a line”, then click along the tissue.")
    places = line.places[request.groups.rows]
    table = profile(
        values, places, line.corners, width=chosen.line_width, bin_width=chosen.bin_width
    )
    told = (
        f"Mean and standard deviation along a line, of cells with their centre at most "
        f"{chosen.line_width / 2:g} {line.unit} from it, in bins of {chosen.bin_width:g} "
        f"{line.unit}."
    )
    own = table[table["gene"] == table["gene"].iloc[0]]
    near = f" Near the line: {int(own['n'].sum()):,} cells."
    return Drawn(
        table,
        _caption(request, told + near),
        lambda params: profile_figure(table, unit=line.unit, params=params),
    )


def _with_groups(
    values: pd.DataFrame, labels: NDArray[np.int64], groups: pd.Series
) -> pd.DataFrame:
    table = values.copy()
    table.insert(0, "label", labels)
    table.insert(1, "group", groups)
    return table


def _colored(request: Request, params: FigureParams) -> FigureParams:
    return params.model_copy(update={"colors": {**request.colors, **params.colors}})


def _caption(request: Request, what: str) -> str:
    """What is drawn, of which cells, with what was left out."""
    parts = [what]
    if request.kind.has_groups and request.grouped_by:
        parts.append(f"Groups: {request.grouped_by}.")
    parts.append(f"{request.groups.n_cells:,} of {request.cells.n_obs:,} cells.")
    if request.groups.left_out:
        told = (f"{n:,} {reason}" for reason, n in request.groups.left_out.items())
        parts.append(f"Left out: {', '.join(told)}.")
    if any(one.origin is Origin.GENE for one in request.genes):
        parts.append(
            "Imputed values are log1p of counts per 10,000, smoothed over reference cells."
        )
    return " ".join(parts)
