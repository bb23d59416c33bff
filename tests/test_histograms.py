import numpy as np
import pytest
from anndata import AnnData
from scipy import stats

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.histograms import marker_histograms
from napari_gluer.measurement.clean import CleanParams, clean
from napari_gluer.measurement.signal import Arcsinh


def cleaned(n: int = 4000) -> AnnData:
    rng = np.random.default_rng(0)
    skewed = rng.lognormal(3, 0.5, n) * np.where(rng.random(n) < 0.3, 40, 1)
    bell = rng.normal(100, 10, n)
    sparse = rng.gamma(2, 5, n) * (rng.random(n) < 0.4)
    cells = AnnData(np.column_stack([skewed, bell, sparse]).astype(np.float32))
    cells.var_names = ["skewed", "bell", "sparse"]
    return clean(cells)


def test_every_cell_is_in_a_bin_or_beyond() -> None:
    cells = cleaned()
    for one in marker_histograms(cells):
        values = cells[:, one.name].layers["raw"].ravel().astype(float)
        assert one.counts.sum() + one.beyond == len(values)
        for at in (0, len(one.counts) // 2):
            low, high = one.edges[at : at + 2]
            assert one.counts[at] == ((values >= low) & (values < high)).sum()
        widths = np.diff(one.scaled(one.edges))
        np.testing.assert_allclose(widths, widths[0], rtol=1e-6)
        assert one.zeros == pytest.approx((values == 0).mean())


def test_components_are_the_cells_that_the_fit_expects() -> None:
    cells = cleaned()
    fits = slots.info(cells)["clean"]["mixtures"]
    for one in marker_histograms(cells):
        fit = fits[one.name]
        for row, part in enumerate((one.ground, one.signal)):
            cumulative = stats.norm.cdf(one.edges, fit["means"][row], fit["deviations"][row])
            expected = cells.n_obs * fit["weights"][row] * np.diff(cumulative)
            np.testing.assert_allclose(part, expected, rtol=1e-6, atol=1e-9)
        assert one.threshold == fit["threshold"]
        assert one.separated == fit["separated"]


def test_skewed_markers_have_a_logarithmic_axis_and_others_a_plain_one() -> None:
    skewed, bell, _ = marker_histograms(cleaned())
    assert skewed.cofactor is not None
    assert np.diff(skewed.edges)[-1] > 10 * np.diff(skewed.edges)[0]
    assert bell.cofactor is None
    np.testing.assert_array_equal(bell.scaled([1, 2]), [1, 2])
    assert skewed.scaled(skewed.cofactor) == pytest.approx(np.arcsinh(1))


def test_fewer_cells_have_fewer_bins() -> None:
    assert len(marker_histograms(cleaned(300))[0].counts) < len(
        marker_histograms(cleaned(4000))[0].counts
    )


def test_chosen_markers_come_in_the_order_asked_for() -> None:
    assert [one.name for one in marker_histograms(cleaned(), ["bell", "skewed"])] == [
        "bell",
        "skewed",
    ]


def test_what_cannot_be_drawn_is_said() -> None:
    cells = cleaned()
    with pytest.raises(InputError, match="No mixture was fitted to CD4; there are fits of skewed"):
        marker_histograms(cells, ["CD4"])
    with pytest.raises(InputError, match="holds no fits to draw"):
        marker_histograms(clean(cells, CleanParams(signal=Arcsinh())))
    with pytest.raises(InputError, match="holds no fits to draw"):
        marker_histograms(AnnData(np.ones((2, 2), np.float32)))
