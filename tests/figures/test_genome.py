"""Gene-peak links along the genome: arcs end where peaks lie and rise as high as they correlate."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from napari_gluer.errors import InputError
from napari_gluer.figures.genome import peak_links_figure

ANNOTATION = pd.DataFrame(
    [("A", "chr1", 50_000, 60_000, "+"), ("B", "chr1", 300_000, 400_001, "-")],
    columns=["gene", "chromosome", "start", "end", "strand"],
)


def links(gene: str = "A") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "gene": gene,
            "peak": ["p", "q", "r"],
            "distance": [-20_000, 5_000, 30_000],
            "pearson": [0.5, -0.2, np.nan],
            "fdr": [0.01, 0.6, np.nan],
        }
    )


@pytest.mark.parametrize(
    ("gene", "start", "ends"),
    [("A", 50, {30: 0.5, 55: -0.2}), ("B", 400, {420: 0.5, 395: -0.2})],
)
def test_arcs_go_from_the_start_to_the_peaks(
    gene: str, start: float, ends: dict[float, float]
) -> None:
    """Upstream of a gene on the other strand lies to the right."""
    figure = peak_links_figure(links(gene), ANNOTATION, gene)
    arcs = next(one for one in figure.axes[0].collections if isinstance(one, LineCollection))
    found = {}
    for path in arcs.get_paths():
        x, y = path.vertices.T
        np.testing.assert_allclose(x[0], start, atol=1e-6)
        np.testing.assert_allclose([y[0], y[-1]], 0, atol=1e-12)
        found[round(float(x[-1]), 6)] = float(y[np.abs(y).argmax()])
    assert set(found) == set(ends)
    for place, height in ends.items():
        assert found[place] == pytest.approx(height, rel=2e-3)
    np.testing.assert_allclose(sorted(arcs.get_linewidths()), [0.5, 1.6])
    assert arcs.get_linewidths()[list(arcs.get_array()).index(0.5)] == 1.6
    dots = figure.axes[0].lines[0].get_xdata()
    assert len(dots) == 3


def test_everything_lies_inside_and_no_legend_over_data() -> None:
    figure = peak_links_figure(links(), ANNOTATION, "A")
    figure.draw_without_rendering()
    whole = figure.bbox
    legend = figure.legends[0].get_window_extent()
    assert not any(axes.get_window_extent().overlaps(legend) for axes in figure.axes)
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert box.x0 >= whole.x0 - 1
        assert box.x1 <= whole.x1 + 1
        assert box.y1 <= whole.y1 + 1
    low, high = figure.axes[0].get_ylim()
    assert low < -0.2
    assert high > 0.5


def test_the_same_figure_again() -> None:
    once, again = (peak_links_figure(links(), ANNOTATION, "A") for _ in range(2))
    assert once.get_size_inches().tolist() == again.get_size_inches().tolist()


@pytest.mark.parametrize(
    ("change", "gene", "says"),
    [
        (lambda t: t.drop(columns="pearson"), "A", "lacks pearson"),
        (lambda t: t, "Z", "'Z' is not in the table of links; there are links of A"),
        (lambda t: t.assign(gene="C"), "C", "'C' is not in the annotation"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    change: Callable[[pd.DataFrame], pd.DataFrame], gene: str, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        peak_links_figure(change(links()), ANNOTATION, gene)


def test_peaks_without_any_correlation_are_still_shown() -> None:
    figure = peak_links_figure(links().assign(pearson=np.nan), ANNOTATION, "A")
    assert len(figure.axes[0].lines[0].get_xdata()) == 3


def test_of_several_loci_the_one_with_most_links_is_drawn() -> None:
    """Distances are from a start; drawn from another one, arcs would end beside their peaks."""
    other = ANNOTATION.iloc[:1].assign(chromosome="chr7", start=900_000, end=905_000)
    both = pd.concat([ANNOTATION, other])
    table = links().assign(tss=[900_000, 50_000, 900_000])
    figure = peak_links_figure(table, both, "A")
    assert figure.axes[0].get_title() == "A: 2 peaks on chr7"
    arcs = next(one for one in figure.axes[0].collections if isinstance(one, LineCollection))
    (arc,) = arcs.get_segments()
    np.testing.assert_allclose(sorted(arc[[0, -1], 0]), [880, 900])
    with pytest.raises(InputError, match="no transcription start of 'A' at 900,000"):
        peak_links_figure(table, ANNOTATION, "A")
