from typing import Any

import numpy as np
import pandas as pd
import pytest

import napari_gluer as ng
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.plots.drawing import (
    Drawn,
    Kind,
    Line,
    LineParams,
    MapParams,
    Request,
    drawn,
    gene_values,
)
from napari_gluer._napari.plots.grouping import grouped
from napari_gluer.errors import InputError
from napari_gluer.figures.params import SINGLE_COLUMN

TYPE = Paintable("cell_type_transferred", Origin.TYPE)
GENES = (Paintable("GENE30", Origin.GENE), Paintable("Protein0", Origin.MARKER))
NAMES = ["GENE30 (imputed)", "Protein0 (measured)"]


@pytest.fixture
def draw(integrated_tables: Any) -> Any:
    cells, reference = integrated_tables

    def make(kind: Kind, **more: Any) -> Drawn:
        settings = {"look": MapParams(), "along": LineParams(), "genes": GENES, **more}
        groups = grouped(cells, TYPE)
        return drawn(
            Request(
                kind=kind, cells=cells, reference=reference, groups=groups,
                grouped_by="cell_type", **settings,
            )
        )  # fmt: skip

    return make


@pytest.fixture
def expected(integrated_tables: Any) -> pd.DataFrame:
    """By label, matched cells only."""
    cells, reference = integrated_tables
    table = pd.DataFrame(
        {
            "label": cells.obs["label"].to_numpy(),
            "group": cells.obs["cell_type_transferred"].astype(str).to_numpy(),
            NAMES[0]: ng.impute(cells, reference, "GENE30"),
            NAMES[1]: cells.obs_vector("Protein0"),
        }
    )
    return table[~cells.obs["gluer_unmatched"].to_numpy()].set_index("label").sort_index()


def test_values_are_named_by_origin_and_those_unmatched_are_missing(integrated_tables: Any) -> None:
    cells, reference = integrated_tables
    values = gene_values(cells, reference, GENES)
    assert list(values) == NAMES
    unmatched = cells.obs["gluer_unmatched"].to_numpy()
    np.testing.assert_array_equal(values[NAMES[0]].isna(), unmatched)
    assert not values[NAMES[1]].isna().any()


def test_violins_show_every_matched_cell(draw: Any, expected: pd.DataFrame) -> None:
    plot = draw(Kind.VIOLIN)
    wide = plot.data.pivot_table(index="label", columns="gene", values="value").sort_index()
    pd.testing.assert_frame_equal(
        wide[NAMES], expected[NAMES], check_names=False, check_dtype=False
    )
    by_label = plot.data.drop_duplicates("label").set_index("label")["group"].sort_index()
    assert by_label.astype(str).tolist() == expected["group"].tolist()
    assert "88 of 90 cells. Left out: 2 unmatched." in plot.caption
    assert "smoothed over reference cells" in plot.caption


@pytest.mark.parametrize("kind", [Kind.DOTS, Kind.HEAT])
def test_means_are_those_of_the_groups(draw: Any, expected: pd.DataFrame, kind: Kind) -> None:
    data = draw(kind).data
    means = expected.groupby("group")[NAMES].mean()
    if kind is Kind.DOTS:
        found = data.pivot_table(index="group", columns="feature", values="mean", observed=True)
    else:
        found = data.set_index("gene").T
    found.index = found.index.astype(str)
    np.testing.assert_allclose(found.loc[means.index, NAMES].astype(float), means, rtol=1e-5)


def test_a_heat_map_of_cells_says_how_they_were_drawn(draw: Any, expected: pd.DataFrame) -> None:
    plot = draw(Kind.CELLS, look=MapParams(most_cells=30, seed=4))
    assert plot.data["label"].is_unique
    found = plot.data.set_index("label")
    assert 27 <= len(found) <= 30
    np.testing.assert_allclose(found[NAMES], expected.loc[found.index, NAMES], rtol=1e-5)
    assert (found["group"].astype(str) == expected.loc[found.index, "group"]).all()
    assert f"{len(found)} of 88 cells, drawn at random (seed 4)" in plot.caption


def test_a_profile_is_of_the_cells_near_the_line(
    draw: Any, expected: pd.DataFrame, integrated_tables: Any
) -> None:
    cells, _ = integrated_tables
    places = np.c_[cells.obs["label"], np.zeros(cells.n_obs)].astype(float)
    line = Line(np.array([[20.0, 0], [60.0, 0]]), places, "µm")
    plot = draw(Kind.PROFILE, line=line, along=LineParams(line_width=2, bin_width=10))
    own = plot.data[plot.data["gene"] == NAMES[0]].set_index("from")
    labels = expected.index.to_numpy()
    assert own.loc[10, "n"] == 10
    inside = (labels >= 30) & (labels < 40)
    assert own.loc[10, "mean"] == pytest.approx(expected[NAMES[0]][inside].mean(), rel=1e-5)
    assert "Near the line: 41 cells" in plot.caption
    assert "Groups" not in plot.caption


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_becomes_a_figure(draw: Any, integrated_tables: Any, kind: Kind) -> None:
    cells, _ = integrated_tables
    line = Line(np.array([[0.0, 0], [60, 60]]), cells.obsm["spatial"], "µm")
    figure = draw(kind, line=line).figure(SINGLE_COLUMN)
    assert figure.get_figwidth() == pytest.approx(85 / 25.4)


def test_violins_have_the_colours_of_the_tissue(draw: Any) -> None:
    plot = draw(Kind.VIOLIN, colors={"B cell": "#123456"})
    figure = plot.figure(SINGLE_COLUMN)
    color = figure.axes[0].collections[0].get_facecolor()[0]
    np.testing.assert_allclose(color[:3], np.array([0x12, 0x34, 0x56]) / 255)


@pytest.mark.parametrize(
    ("kind", "more", "says"),
    [(Kind.VIOLIN, {"genes": ()}, "at least one gene"), (Kind.PROFILE, {}, "Draw a line")],
)
def test_what_is_missing_is_said(draw: Any, kind: Kind, more: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        draw(kind, **more)
