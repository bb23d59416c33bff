from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse, stats

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.cells import read_cells, write_cells
from napari_gluer.measurement.clean import CleanParams, clean
from napari_gluer.measurement.filters import BlankQuantiles, SizeBounds, SizeQuantiles
from napari_gluer.measurement.intensities import measure
from napari_gluer.measurement.mixture import fit
from napari_gluer.measurement.signal import Arcsinh, MixtureCumulative, MixturePosterior, Skip

N = 400
PLAIN = {"size": Skip(), "blanks": Skip(), "divide_by_total": False}


def measured(kind: str = "intensity", dimensions: int = 2) -> AnnData:
    rng = np.random.default_rng(0)
    marker = np.r_[rng.normal(20, 4, N // 2), rng.normal(200, 30, N // 2)]
    other = np.r_[rng.normal(150, 20, N // 4), rng.normal(30, 5, 3 * N // 4)]
    blank = rng.normal(50, 5, N)
    nuclear = rng.normal(500, 50, N)
    X = np.abs(np.column_stack([marker, other, blank, nuclear])).astype(np.float32)
    var = pd.DataFrame(
        {"genes": ["CD4", "CD8A", "", ""], "role": ["marker", "marker", "blank", "nuclear"]},
        index=["CD4", "CD8", "Blank1", "DAPI"],
    )
    obs = pd.DataFrame({"label": np.arange(1, N + 1), "volume_px": np.arange(1, N + 1)})
    obs.index = obs["label"].astype(str).to_numpy()
    cells = AnnData(X, obs=obs, var=var)
    cells.obsm["spatial"] = rng.random((N, dimensions))
    slots.note(cells, kind=kind)
    return cells


def report(cells: AnnData) -> Any:
    return slots.info(cells)["clean"]


def test_the_whole_of_it() -> None:
    cells = measured()
    before = cells.X.copy()
    cleaned = clean(cells)
    np.testing.assert_array_equal(cells.X, before)
    assert slots.RAW not in cells.layers
    sizes = np.arange(1, N + 1)
    low, high = np.quantile(sizes, [0.025, 0.99])
    assert report(cleaned)["dropped"]["size"] == ((sizes < low) | (sizes > high)).sum()
    assert report(cleaned)["kept"] == cleaned.n_obs
    assert N - cleaned.n_obs == sum(report(cleaned)["dropped"].values())
    raw = cells[cleaned.obs_names].X
    np.testing.assert_array_equal(cleaned.layers["raw"], raw)
    np.testing.assert_array_equal(cleaned.X[:, 2:], raw[:, 2:])
    np.testing.assert_allclose(cleaned.X[:, :2].sum(axis=1), 1, rtol=1e-5)
    assert cleaned.X.dtype == np.float32
    assert list(cleaned.var["mixture_separated"]) == [True, True, False, False]
    assert report(cleaned)["not_separated"] == []
    reasons = report(cleaned)["reasons"]
    assert reasons["too small"] == (sizes < low).sum()
    assert reasons["too large"] == (sizes > high).sum()
    assert sum(reasons.values()) == N - cleaned.n_obs
    assert report(cleaned)["outcome"].startswith(
        f"{cleaned.n_obs} of {N} cells kept; dropped: too small 10, too large 4, blanks too"
    )


def test_signal_choices_by_independent_formulas() -> None:
    cells = measured()
    raw = cells.X[:, :2].astype(np.float64)
    mixture = fit(raw)
    expected = {
        MixtureCumulative(zero_at_zero=False): mixture.cumulative(raw),
        MixtureCumulative(): mixture.rescaled_cumulative(raw),
        MixturePosterior(): mixture.posterior(raw),
        Arcsinh(cofactor=10): np.arcsinh(raw / 10),
        Skip(): raw,
    }
    for signal, values in expected.items():
        cleaned = clean(cells, CleanParams(signal=signal, **PLAIN))
        np.testing.assert_allclose(cleaned.X[:, :2], values, rtol=1e-5, atol=1e-6)
        fitted = isinstance(signal, MixtureCumulative | MixturePosterior)
        assert (slots.SEPARATED in cleaned.var) == fitted


def test_size_rules() -> None:
    cells = measured()
    kept = clean(cells, CleanParams(size=SizeBounds(smallest=10, largest=20, unit="px")))
    assert report(kept)["dropped"]["size"] == N - 11
    kept = clean(cells, CleanParams(size=SizeQuantiles(lower=0.5, upper=1)))
    assert report(kept)["dropped"]["size"] == N // 2
    in_um = clean(cells, CleanParams(size=SizeBounds()))
    assert report(in_um)["skipped"]["size"] == "no size in µm (the pixel size is not known)"
    cells.obs["area_um2"] = cells.obs["volume_px"] / 4
    in_um = clean(cells, CleanParams(size=SizeBounds(smallest=10, largest=20)))
    assert report(in_um)["dropped"]["size"] == N - 41


def test_three_dimensions_take_the_voxels_of_the_paper() -> None:
    cells = measured(dimensions=3)
    cells.obs["volume_px"] = cells.obs["volume_px"] * 50.0  # 50 to 20,000
    cells.obs.loc[cells.obs["volume_px"] == 20_000, "volume_px"] = 26_000.0
    found = report(clean(cells, CleanParams(blanks=Skip())))
    assert found["reasons"] == {"too small": 19, "too large": 1}


@pytest.mark.parametrize("voxels", [0.5, 9.9, 63, 1000])
def test_voxels_of_another_size_are_judged_by_quantiles(voxels: float) -> None:
    # 400 cells of 1 to 400 of some unit: the same cells whatever a voxel is
    cells = measured(dimensions=3)
    cells.obs["volume_px"] = cells.obs["volume_px"] * voxels
    found = report(clean(cells, CleanParams(blanks=Skip())))
    assert found["reasons"] == {"too small": 10, "too large": 4}


def test_blank_gate_by_hand() -> None:
    cells = measured()
    cells.X[:, 2] = np.arange(N)
    gate = BlankQuantiles(lower=0.1, upper=0.9)
    kept = clean(cells, CleanParams(size=Skip(), blanks=gate))
    low, high = np.quantile(np.arange(N), [0.1, 0.9])
    assert kept.layers["raw"][:, 2].min() >= low
    assert kept.layers["raw"][:, 2].max() <= high
    assert report(kept)["dropped"] == {"blanks": int(2 * np.ceil(low))}
    assert report(kept)["reasons"] == {
        "blanks too dark": int(np.ceil(low)),
        "blanks too bright": int(np.ceil(low)),
    }


def test_with_two_blanks_one_may_be_low_but_none_high() -> None:
    cells = measured()
    cells.var["role"] = ["marker", "marker", "blank", "blank"]
    cells.X[:, 2:] = 5
    cells.X[0, 2:] = 0  # both low
    cells.X[1, 2:] = [0, 5]
    cells.X[2, 2:] = [5, 9]
    gate = BlankQuantiles(lower=0.1, upper=0.99)
    kept = clean(cells, CleanParams(size=Skip(), blanks=gate))
    assert report(kept)["dropped"]["blanks"] == 2
    assert report(kept)["reasons"] == {"blanks too dark": 1, "blanks too bright": 1}
    assert "1" not in kept.obs_names
    assert "2" in kept.obs_names
    assert "3" not in kept.obs_names


def test_what_the_table_lacks_is_skipped_and_said() -> None:
    cells = measured()
    del cells.obs["volume_px"]
    cells.var["role"] = "marker"
    cleaned = clean(cells)
    assert report(cleaned)["skipped"] == {"size": "no size in pixels", "blanks": "no blank channel"}
    assert "skipped: size (no size in pixels); blanks" in report(cleaned)["outcome"]
    assert cleaned.n_obs == N


@pytest.mark.parametrize("kind", ["counts", "log1p"])
def test_tables_of_genes_keep_their_values(kind: str) -> None:
    cells = measured(kind)
    cells.X = sparse.csr_matrix(cells.X)
    cleaned = clean(cells, CleanParams(size=SizeQuantiles(lower=0.5, upper=1), blanks=Skip()))
    assert cleaned.n_obs == N // 2
    assert sparse.issparse(cleaned.X)
    assert (cells.X[N // 2 :] != cleaned.X).nnz == 0
    assert report(cleaned)["skipped"]["signal"] == "the table holds no intensities"


def test_cleaning_twice_starts_from_raw() -> None:
    once = clean(measured(), CleanParams(**PLAIN))
    twice = clean(once, CleanParams(**PLAIN))
    np.testing.assert_array_equal(twice.X, once.X)
    np.testing.assert_array_equal(twice.layers["raw"], once.layers["raw"])
    other = clean(twice, CleanParams(signal=Arcsinh(), **PLAIN))
    assert slots.SEPARATED not in other.var


def same(one: AnnData, other: AnnData) -> None:
    assert list(one.obs_names) == list(other.obs_names)
    np.testing.assert_array_equal(one.X, other.X)
    np.testing.assert_array_equal(one.layers["raw"], other.layers["raw"])
    pd.testing.assert_frame_equal(one.obs, other.obs)
    pd.testing.assert_frame_equal(one.var, other.var)
    assert slots.info(one) == slots.info(other)


def with_blanks() -> AnnData:
    cells = measured()
    cells.X[:, 2] = np.random.default_rng(5).normal(50, 5, N)
    return cells


@pytest.mark.parametrize(
    "params",
    [
        CleanParams(),
        CleanParams(size=SizeQuantiles(lower=0.2, upper=0.8), signal=MixturePosterior()),
        CleanParams(size=SizeBounds(smallest=50, largest=300, unit="px")),
        CleanParams(blanks=BlankQuantiles(lower=0.1, upper=0.9), signal=Arcsinh()),
    ],
)
def test_cleaning_twice_is_cleaning_once(params: CleanParams, tmp_path: Path) -> None:
    once = clean(with_blanks(), params)
    assert once.n_obs < N
    same(clean(once, params), once)
    write_cells(once, tmp_path / "c.h5ad")
    back = clean(read_cells(tmp_path / "c.h5ad"), params)
    assert report(back) == report(once)
    np.testing.assert_array_equal(back.X, once.X)


def test_another_filter_draws_new_bounds_and_history_is_kept() -> None:
    once = clean(with_blanks())
    narrow = CleanParams(size=SizeQuantiles(lower=0.1, upper=0.9))
    twice = clean(once, narrow)
    sizes = once.obs["volume_px"]
    low, high = np.quantile(sizes, [0.1, 0.9])
    more = int(((sizes < low) | (sizes > high)).sum())
    assert report(twice)["bounds"]["size"]["low"] == low
    assert report(twice)["dropped"]["size"] == report(once)["dropped"]["size"] + more
    assert report(twice)["cells"] == N
    assert sum(report(twice)["dropped"].values()) == N - twice.n_obs
    same(clean(twice, narrow), twice)


def test_cells_taken_out_by_hand_are_counted_apart_and_bounds_stay() -> None:
    once = clean(with_blanks())
    part = once[once.obs["label"] < 200].copy()
    again = clean(part)
    assert list(again.obs_names) == list(part.obs_names)
    assert report(again)["dropped"]["elsewhere"] == once.n_obs - part.n_obs
    assert report(again)["cells"] == N


def test_a_larger_table_starts_anew() -> None:
    once = clean(with_blanks())
    larger = with_blanks()
    larger.uns["gluer"]["clean"] = report(once)
    same(clean(larger), once)


def test_fits_are_kept_and_say_where_both_are_equally_likely() -> None:
    cleaned = clean(measured(), CleanParams(**PLAIN))
    fits = report(cleaned)["mixtures"]
    assert list(fits) == ["CD4", "CD8"]
    mixture = fit(cleaned.layers["raw"][:, :2].astype(np.float64))
    for column, one in enumerate(fits.values()):
        np.testing.assert_allclose(one["means"], mixture.means[:, column])
        ground, signal = (
            weight * stats.norm.pdf(one["threshold"], mean, deviation)
            for weight, mean, deviation in zip(
                one["weights"], one["means"], one["deviations"], strict=True
            )
        )
        assert ground == pytest.approx(signal)
        assert one["means"][0] < one["threshold"] < one["means"][1]
        assert one["separated"]
        assert one["ashman_d"] == pytest.approx(
            np.sqrt(2) * np.diff(one["means"])[0] / np.hypot(*one["deviations"])
        )
    assert report(clean(cleaned, CleanParams(signal=Arcsinh(), **PLAIN)))["mixtures"] == {}


def test_sizes_that_are_not_known_are_dropped_and_counted() -> None:
    cells = measured()
    cells.obs["volume_px"] = cells.obs["volume_px"].astype(float)
    cells.obs.iloc[7, 1] = np.nan
    assert report(clean(cells))["reasons"]["size not known"] == 1
    cells.obs["volume_px"] = np.nan
    with pytest.raises(InputError, match="all 400 values are NaN"):
        clean(cells)


def test_constant_markers_become_zero_and_are_named() -> None:
    cells = measured()
    cells.X[:, 1] = 7
    cleaned = clean(cells)
    assert report(cleaned)["constant"] == ["CD8"]
    assert "constant: CD8" in report(cleaned)["outcome"]
    np.testing.assert_array_equal(cleaned.X[:, 1], 0)
    assert not cleaned.var.loc["CD8", "mixture_separated"]


def test_a_marker_that_does_not_separate_is_kept_and_named() -> None:
    cells = measured()
    cells.X[:, 1] = np.random.default_rng(3).lognormal(3, 1, N)
    cleaned = clean(cells)
    assert report(cleaned)["not_separated"] == ["CD8"]
    assert cleaned.X[:, 1].std() > 0


def test_a_cell_without_signal_stays_zero() -> None:
    cells = measured()
    cells.X[0, :2] = 0
    cleaned = clean(cells, CleanParams(size=Skip()))
    np.testing.assert_array_equal(cleaned["1"].X[0, :2], 0)


def spoiled(**changes: Any) -> AnnData:
    cells = measured()
    for row, column, value in changes.values():
        cells.X[row, column] = value
    return cells


@pytest.mark.parametrize(
    ("cells", "params", "says"),
    [
        (
            measured(),
            CleanParams(size=SizeBounds(smallest=1e4, largest=2e4, unit="px")),
            r"keeps 10000 to 20000 pixels.*400 sizes are 1 to 400 \(median 200.5\)",
        ),
        (measured(), CleanParams(blanks=BlankQuantiles(lower=0.5, upper=0.5)), "blank gate"),
        (spoiled(one=(3, 0, np.inf)), CleanParams(size=Skip()), "Infinite values in CD4"),
        (
            spoiled(many=(slice(201), 1, np.nan)),
            CleanParams(),
            r"more than half of the 400 cells: CD8 \(201\)",
        ),
        (
            spoiled(one=(slice(200), 0, np.nan), other=(slice(200, 400), 1, np.nan)),
            CleanParams(),
            "No cell has a value in every channel: NaN in CD4, CD8",
        ),
        (spoiled(all=(slice(None), slice(2), 1)), CleanParams(), "No marker varies.*CD4, CD8"),
    ],
)
def test_what_cannot_be_cleaned(cells: AnnData, params: CleanParams, says: str) -> None:
    with pytest.raises(InputError, match=says):
        clean(cells, params)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_cells_without_a_value_are_dropped_and_counted(form: Any) -> None:
    cells = spoiled(
        marker=(7, 0, np.nan), two=(9, slice(2), np.nan), blank=(11, 2, np.nan), dna=(20, 3, np.nan)
    )
    others = cells[~np.isin(np.arange(N), [7, 9, 11])].copy()
    cells.X = form(cells.X)
    cleaned = clean(cells)
    expected = clean(others)
    np.testing.assert_array_equal(cleaned.obs_names, expected.obs_names)
    np.testing.assert_array_equal(cleaned.X, expected.X)
    assert report(cleaned)["dropped"]["values"] == 3
    assert report(cleaned)["reasons"]["without a value in CD4, CD8, Blank1"] == 3
    assert report(cleaned)["bounds"]["values"] == {"channels": {"CD4": 2, "CD8": 1, "Blank1": 1}}
    assert "without a value in CD4, CD8, Blank1 3" in report(cleaned)["outcome"]
    assert N - cleaned.n_obs == sum(report(cleaned)["dropped"].values())
    assert "21" in cleaned.obs_names, "a gap in the nuclear stain is no gap in a marker"
    again = clean(cleaned)
    assert report(again) == report(cleaned)
    np.testing.assert_array_equal(again.X, cleaned.X)


def test_channels_that_do_not_count_may_be_empty() -> None:
    cells = spoiled(dna=(slice(None), 3, np.nan))
    assert clean(cells).n_obs == clean(measured()).n_obs


def test_a_few_pixels_that_are_nan_stop_no_step(tmp_path: Path) -> None:
    """Measured, written, read and cleaned: the one cell without a value is gone, and counted."""
    labels = np.repeat(np.arange(1, 41), 9).reshape(40, 3, 3).transpose(1, 0, 2).reshape(3, 120)
    pixels = np.random.default_rng(0).lognormal(3, 1, (2, 3, 120))
    pixels[1, :, 6:9] = np.nan
    pixels[0, 1, 1] = np.nan
    measured_cells = measure(MultiplexImage(pixels, ["CD4", "CD8"]), labels)
    assert slots.info(measured_cells)["measure"]["not_finite"] == {"CD4": 1, "CD8": 9}
    write_cells(measured_cells, tmp_path / "cells.h5ad")
    cleaned = clean(read_cells(tmp_path / "cells.h5ad"), CleanParams(size=Skip()))
    assert list(cleaned.obs["label"]) == [1, 2, *range(4, 41)]
    assert report(cleaned)["reasons"] == {"without a value in CD8": 1}
    assert np.isfinite(cleaned.X).all()


def test_params_know_their_choice_from_its_kind() -> None:
    for signal in (MixtureCumulative(), MixturePosterior(), Arcsinh(), Skip()):
        params = CleanParams(signal=signal)
        assert CleanParams.model_validate_json(params.model_dump_json()) == params


def test_the_report_is_kept_in_the_file(tmp_path: Path) -> None:
    cleaned = clean(measured())
    write_cells(cleaned, tmp_path / "c.h5ad")
    back = read_cells(tmp_path / "c.h5ad")
    assert report(back) == report(cleaned)
    assert slots.info(back)["kind"] == "intensity"


@pytest.mark.shared_data
def test_real_codex(shared_data: Path) -> None:
    cells = read_cells(shared_data / "codex_human_spleen/codex_spleen_10000x28.h5ad")
    cleaned = clean(cells)
    assert 9600 <= cleaned.n_obs <= 9700
    assert report(cleaned)["skipped"] == {"blanks": "no blank channel"}
    separated = set(cleaned.var_names[cleaned.var["mixture_separated"]])
    assert {"CD20", "CD8", "CD3e", "CD21"} <= separated
    assert not {"PanCK", "CD107a", "CollagenIV"} & separated, "one bell each"
    total = cleaned.X.sum(axis=1)
    np.testing.assert_allclose(total[total > 0], 1, rtol=1e-5)
    assert (cleaned.X.std(axis=0) > 0).all(), "no marker is silently zeroed"


def test_results_of_an_earlier_integration_are_left_out() -> None:
    rng = np.random.default_rng(0)
    cells = AnnData(rng.gamma(2, 50, (40, 2)).astype(np.float32))
    cells.obs["cluster"], cells.obs["cell_type_transferred"] = "1", "B"
    cells.obs["cell_type"] = "seen"
    cells.obsm["X_gluer"], cells.obsm["gluer_weights"] = np.ones((40, 2)), np.ones((40, 3))
    cells.uns["gluer"] = {"kind": "intensity", "seed": 1, "links": "{}", "cluster_params": "{}"}
    cleaned = clean(cells)
    assert list(cleaned.obs) == ["cell_type"]
    assert not list(cleaned.obsm)
    assert set(cleaned.uns["gluer"]) == {"kind", "clean"}
    assert "X_gluer" in cells.obsm


@pytest.mark.parametrize("rule", [SizeQuantiles, BlankQuantiles])
def test_bounds_out_of_order_are_refused(rule: Any) -> None:
    with pytest.raises(ValueError, match=r"lower bound 0\.9 is above the upper 0\.1"):
        rule(lower=0.9, upper=0.1)


def test_a_column_that_is_not_ours_is_kept() -> None:
    rng = np.random.default_rng(0)
    cells = AnnData(rng.gamma(2, 50, (40, 2)).astype(np.float32))
    cells.obs["cluster"], cells.obs["cell_type_transferred"] = "mine", "mine too"
    assert list(clean(cells).obs) == ["cluster", "cell_type_transferred"]
