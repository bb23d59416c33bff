"""From spots to counts per cell."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr
from anndata import AnnData
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.io.cells import read_cells, write_cells
from napari_gluer.io.spot_columns import SpotParams
from napari_gluer.io.spots import read_spots
from napari_gluer.measurement.spots import AssignParams, assign_spots
from napari_gluer.tiles import TileParams

Lay = Callable[..., Any]

LABELS = np.array(
    [
        [0, 0, 7, 7, 7],
        [0, 2, 7, 7, 7],
        [0, 2, 0, 0, 0],
        [0, 0, 0, 2**40, 0],
    ]
)


def table(*spots: tuple[Any, ...], columns: str = "gene x y cell") -> pd.DataFrame:
    return pd.DataFrame(spots, columns=columns.split())


def told(cells: AnnData) -> dict[str, Any]:
    said: dict[str, Any] = slots.info(cells)["spots"]
    return said


def test_counts_by_hand() -> None:
    spots = table(
        ("B", 2.4, 0.4, 7),
        ("B", 4.49, 1.2, 7),
        ("A", 1.0, 1.6, 2),
        ("A", 1.5, 1.0, 7),  # half way between two pixels: the later
        ("A", 0.0, 0.0, 0),
        ("NegPrb1", 3, 3, 2**40),
        ("A", 0.4, 3.4, 0),
    )
    cells = assign_spots(spots, LABELS)
    assert list(cells.obs["label"]) == [2, 7, 2**40]
    assert list(cells.obs_names) == ["2", "7", str(2**40)]
    assert list(cells.var_names) == ["A", "B", "NegPrb1"]
    np.testing.assert_array_equal(cells.X.toarray(), [[1, 0, 0], [1, 2, 0], [0, 0, 1]])
    assert cells.X.format == "csr"
    assert cells.X.dtype == np.float32
    assert list(cells.obs["volume_px"]) == [2, 6, 1]
    np.testing.assert_allclose(cells.obsm["spatial"], [[1, 1.5], [3, 0.5], [3, 3]])
    assert list(cells.var["role"]) == ["marker", "marker", "blank"]
    assert list(cells.var["genes"]) == ["A", "B", ""]
    about = slots.info(cells)
    assert (about["kind"], about["spatial_unit"]) == ("counts", "px")
    said = told(cells)
    assert (said["spots"], said["orientation"], said["blanks"]) == (7, "as given", ["NegPrb1"])
    assert said["in_cells"] == pytest.approx(5 / 7, abs=1e-6)
    assert said["outside_cells"] == pytest.approx(2 / 7, abs=1e-6)
    assert said["agreeing"] == 1
    assert said["outcome"] == (
        "7 spots, 71.4% in cells; laid as given; 100.0% agree with the cells that the table names."
    )


def test_cells_without_spots_keep_their_row() -> None:
    cells = assign_spots(table(("A", 3, 0, 7), ("A", 2, 0, 7)), LABELS)
    np.testing.assert_array_equal(cells.X.toarray(), [[0], [2], [0]])


def test_arguments_stay_as_they_are() -> None:
    spots, labels = table(("A", 3, 0, 7)), LABELS.copy()
    before = spots.copy(deep=True)
    assign_spots(spots, labels)
    pd.testing.assert_frame_equal(spots, before)
    np.testing.assert_array_equal(labels, LABELS)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.sampled_from([0, 3, 7]), st.booleans())
def test_equal_to_counting_one_by_one(seed: int, n: int, side: int, lazy: bool) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 5, (14, 11)) * 10**12
    labels[0, 0] = 1
    spots = pd.DataFrame(
        {
            "gene": random.choice(["a", "b", "c"], n),
            "x": random.uniform(-2, 13, n),
            "y": random.uniform(-2, 16, n),
        }
    )
    expected: dict[tuple[int, str], int] = {}
    for gene, x, y in spots.itertuples(index=False):
        row, column = int(np.floor(y + 0.5)), int(np.floor(x + 0.5))
        if 0 <= row < 14 and 0 <= column < 11 and labels[row, column]:
            key = int(labels[row, column]), str(gene)
            expected[key] = expected.get(key, 0) + 1
    given_labels = zarr.array(labels, chunks=(4, 4)) if lazy else labels
    params = AssignParams(flip_x="no", flip_y="no", transpose="no")
    spots.loc[n] = ["a", 0.0, 0.0]
    inside = spots["x"].between(-0.5, 10.49) & spots["y"].between(-0.5, 13.49)
    if inside.mean() < 0.5:  # refused: too many beside the labels
        return
    expected[1, "a"] = expected.get((1, "a"), 0) + 1
    cells = assign_spots(spots, given_labels, params, tiles=TileParams(side=side))
    found = cells.to_df().stack()
    counted = {
        (int(label), str(gene)): int(count) for (label, gene), count in found.items() if count
    }
    assert counted == expected
    assert cells.n_obs == len(np.unique(labels[labels > 0]))


def test_the_orientation_and_origin_are_found_and_told(lay: Lay) -> None:
    made = lay(x0=300, y0=40)
    turned = np.ascontiguousarray(made.labels[::-1])
    cells = assign_spots(made.spots, turned)
    said = told(cells)
    assert (said["orientation"], said["x0"], said["y0"]) == ("y flipped", 300, 40)
    assert (said["flip_y"], said["flip_x"], said["transposed"]) == (True, False, False)
    assert said["agreeing"] == 1
    assert said["tried"]["y flipped"] == 1
    assert len(said["tried"]) == 8
    named = made.spots[made.spots["cell"] > 0].value_counts(["cell", "gene"])
    counted = cells.to_df().stack()
    assert {key: int(n) for key, n in counted.items() if n} == {
        (str(cell), gene): n for (cell, gene), n in named.items()
    }


def test_what_the_person_says_is_not_searched(lay: Lay) -> None:
    made = lay()
    turned = np.ascontiguousarray(made.labels[::-1])
    with pytest.raises(InputError, match=r"at best .* Tried were, best origin each: as given"):
        assign_spots(made.spots, turned, AssignParams(flip_y="no", transpose="no", flip_x="no"))
    cells = assign_spots(made.spots, turned, AssignParams(flip_y="yes"))
    assert told(cells)["agreeing"] == 1
    assert "as given" not in told(cells)["tried"]


def test_cells_of_another_segmentation_need_not_agree(lay: Lay) -> None:
    made = lay()
    made.spots["cell"] = np.random.default_rng(0).permutation(made.spots["cell"])
    with pytest.raises(InputError, match="compare_cells"):
        assign_spots(made.spots, made.labels)
    said = told(assign_spots(made.spots, made.labels, AssignParams(compare_cells=False)))
    assert said["orientation"] == "as given"
    assert "agreeing" not in said


def test_names_of_cells_that_are_texts_are_compared(lay: Lay) -> None:
    made = lay()
    turned = np.ascontiguousarray(made.labels[:, ::-1])
    texts = made.spots["cell"].map(lambda cell: f"cell-{cell * 7 % 101}" if cell else None)
    spots = made.spots.assign(cell=texts.astype("category"))
    said = told(assign_spots(spots, turned))
    assert said["orientation"] == "x flipped"
    assert said["agreeing"] > 0.99


def test_numbers_as_floats_are_numbers(lay: Lay) -> None:
    made = lay()
    cells = made.spots["cell"].astype(float).replace(0, np.nan)
    said = told(assign_spots(made.spots.assign(cell=cells), made.labels))
    assert said["agreeing"] == 1


def test_a_table_without_cells_says_what_could_not_be_checked() -> None:
    labels = np.ones((20, 30), np.int32)
    x, y = np.random.default_rng(0).uniform(0, 19, (2, 500))
    spots = pd.DataFrame({"gene": "A", "x": x, "y": y, "z": 3.0})
    said = told(assign_spots(spots, labels))
    assert not said["checked"]
    assert "the orientation could not be checked" in said["outcome"]
    assert "z is not used" in said["outcome"]


def test_planes_of_three_dimensional_labels() -> None:
    labels = np.zeros((3, 6, 6), np.int32)
    labels[0, :3], labels[1, 3:], labels[2] = 1, 2, 3
    spots = table(
        ("A", 2, 1, 0.2, 1),
        ("A", 2, 1, 3.9, 0),
        ("A", 2, 4, 4.4, 2),
        ("B", 2, 4, 6.0, 3),
        ("B", 2, 4, 40, 0),  # above all planes
        columns="gene x y z cell",
    )
    cells = assign_spots(spots, labels, AssignParams(plane_step=4))
    np.testing.assert_array_equal(cells.X.toarray(), [[1, 0], [1, 0], [0, 1]])
    assert told(cells)["on_labels"] == pytest.approx(0.8)
    assert cells.obsm["spatial"].shape == (3, 3)
    np.testing.assert_allclose(cells.obsm["spatial"][0], [2.5, 1, 0])
    with pytest.raises(InputError, match="3 planes, and the spots no z"):
        assign_spots(spots.drop(columns="z"), labels)
    with pytest.raises(InputError, match="2 of 2 spots have no finite z"):
        assign_spots(spots.iloc[:2].assign(z=np.nan), labels)
    with pytest.raises(InputError, match=r"z is 100 to 100 with 1 a plane.*plane_step"):
        assign_spots(spots.assign(z=100.0), labels)


def test_positions_and_areas_are_in_um_where_the_pixel_size_is_known(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("feature_name,x_location,y_location,cell_id\nA,0.6375,0,7\nA,0.425,0.2125,7\n")
    spots = read_spots(path)
    cells = assign_spots(spots, LABELS)
    assert slots.info(cells)["spatial_unit"] == "um"
    np.testing.assert_allclose(cells.obs["area_um2"], np.array([2, 6, 1]) * 0.2125**2)
    np.testing.assert_allclose(cells.obsm["spatial"][1], [3 * 0.2125, 0.5 * 0.2125])
    assert slots.info(cells)["path"] == str(path)
    assert len(slots.info(cells)["sha256"]) == 64
    assert told(cells)["columns"]["gene"] == "feature_name"


def test_the_table_is_written_and_read_again(tmp_path: Path, lay: Lay) -> None:
    made = lay()
    cells = assign_spots(made.spots, made.labels)
    write_cells(cells, tmp_path / "cells.h5ad")
    again = read_cells(tmp_path / "cells.h5ad")
    assert (again.X != cells.X).nnz == 0
    assert told(again) == told(cells)
    assert slots.info(again)["kind"] == "counts"


def test_the_same_input_gives_the_same_table(lay: Lay) -> None:
    made = lay(wrong=0.1, x0=12, y0=5)
    first, second = (assign_spots(made.spots, made.labels) for _ in range(2))
    assert (first.X != second.X).nnz == 0
    assert told(first) == told(second)


BAD = {
    "missing": (table(("A", 1, 2), columns="gene a b"), "x, y is missing .*there are gene, a, b"),
    "empty": (table(), "no spots: the table is empty"),
    "text": (table(("A", "one", 2, 0), ("A", 1, 2, 0)), r"1 of 2 spots have no finite x \('one'\)"),
    "inf": (table(("A", 1, np.inf, 0)), r"1 of 1 spots have no finite y \(inf\)"),
    "no gene": (table((None, 1, 2, 0), ("", 1, 2, 0)), "2 of 2 spots have no gene"),
    "repeated": (table(("A", 1, 2, 3), columns="gene x y x"), "are repeated: gene, x, y, x"),
    "beside": (table(("A", 100, 2), ("A", 90, 2), columns="gene x y"), "x is 90 to 100"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_spots_are_refused(case: str) -> None:
    spots, said = BAD[case]
    with pytest.raises(InputError, match=said):
        assign_spots(spots, LABELS)


def test_positions_in_um_of_unknown_pixels_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("gene,global_x,global_y\nA,1,2\n")
    with pytest.raises(InputError, match=r"in µm and the pixel size is not known.*pixel_size_um"):
        assign_spots(read_spots(tmp_path / "t.csv"), LABELS)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.zeros((4, 5), np.int32), "no cell"),
        (-LABELS, "negative"),
        (LABELS > 0, "yes/no mask"),
        (np.where(LABELS, np.nan, 1), "fractions, NaN"),
        (LABELS.ravel(), r"shape \(20,\)"),
    ],
)
def test_bad_labels_are_refused(labels: Any, said: str) -> None:
    for given_labels in (labels, zarr.array(labels)):
        with pytest.raises(InputError, match=said):
            assign_spots(table(("A", 3, 0, 7)), given_labels)


def test_a_mask_with_one_cell() -> None:
    labels = np.zeros((30, 40), np.uint8)
    labels[5:15, 20:30] = 1
    x, y = np.random.default_rng(0).uniform((20, 5), (29, 14), (300, 2)).T
    cells = assign_spots(pd.DataFrame({"gene": "A", "x": x, "y": y, "cell": 1}), labels)
    assert cells.X.toarray().tolist() == [[300]]
    assert told(cells)["orientation"] == "as given"


def fields(lay: Lay, **options: Any) -> tuple[pd.DataFrame, dict[int, Any]]:
    parts = {seed: lay(seed=seed, n=2000, **options) for seed in (1, 2)}
    spots = [part.spots.assign(fov=seed) for seed, part in parts.items()]
    return pd.concat(spots, ignore_index=True), parts


def test_the_field_of_view_is_chosen_and_others_are_left_out(lay: Lay) -> None:
    spots, parts = fields(lay)
    for seed, part in parts.items():
        cells = assign_spots(spots, part.labels)
        said = told(cells)
        assert (said["field"], said["spots"]) == (str(seed), len(part.spots))
        assert cells.X.sum() == (part.spots["cell"] > 0).sum()
        assert f"of field of view {seed} (" in said["outcome"]


def test_fields_without_cells_have_to_be_chosen(lay: Lay) -> None:
    spots, parts = fields(lay)
    with pytest.raises(InputError, match=r"2 fields of view \(1, 2\).*only_fov"):
        assign_spots(spots.drop(columns="cell"), parts[1].labels)


def test_fields_named_by_texts_and_cells_by_names(lay: Lay) -> None:
    spots, parts = fields(lay)
    spots["cell"] = [
        f"c_{fov}_{cell}" if cell else None for cell, fov in spots[["cell", "fov"]].to_numpy()
    ]
    spots["fov"] = spots["fov"].map({1: "left", 2: "right"}).astype("category")
    spots.loc[0, "fov"] = None
    said = told(assign_spots(spots, parts[2].labels))
    assert said["field"] == "right"
    assert said["agreeing"] > 0.99


def test_a_position_beyond_all_bounds_is_beside_the_labels(lay: Lay) -> None:
    made = lay()
    made.spots.loc[:2, "x"] = [1e300, -1e300, 1e18]
    made.spots.loc[:2, "cell"] = 2
    said = told(assign_spots(made.spots, made.labels))
    assert said["on_labels"] == pytest.approx(1 - 3 / len(made.spots), abs=1e-6)


def test_minus_one_is_no_cell(lay: Lay) -> None:
    made = lay()
    spots = made.spots.assign(cell=made.spots["cell"].replace(0, -1))
    assert told(assign_spots(spots, made.labels))["agreeing"] == 1


def test_fields_of_one_slide_are_all_counted(lay: Lay) -> None:
    made = lay()
    made.spots["fov"] = (made.spots["x"] // 65).astype(int)
    said = told(assign_spots(made.spots, made.labels))
    assert (said["field"], said["spots"]) == ("", len(made.spots))


@pytest.fixture(scope="module")
def cosmx(shared_data: Path) -> tuple[Path, dict[int, Any]]:
    folder = shared_data / "spots_cosmx_giottodata"
    labels = {
        field: tifffile.imread(folder / "CellLabels" / f"CellLabels_F00{field}.tif")
        for field in (2, 3)
    }
    return folder / "Lung12_tx_file.csv", labels


@pytest.mark.parametrize("field", [2, 3])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"only_fov": True},
        {"only_fov": True, "x0": True, "y0": 3000},
    ],
)
def test_real_cosmx_spots_lie_in_the_cells_that_the_table_names(
    cosmx: tuple[Path, dict[int, Any]], field: int, params: dict[str, Any]
) -> None:
    path, labels = cosmx
    known = {"only_fov": str(field), "x0": {2: 4800, 3: 0}[field]}
    filled = {name: known[name] if value is True else value for name, value in params.items()}
    cells = assign_spots(read_spots(path, SpotParams(**filled)), labels[field])
    said = told(cells)
    assert said["orientation"] == "y flipped"
    assert said["agreeing"] * said["on_labels"] >= 0.98
    truth = pd.read_csv(path)
    truth = truth[(truth["fov"] == field) & (truth["cell_ID"] > 0)]
    named = truth.value_counts(["cell_ID", "target"])
    found = cells.to_df()
    found.index = found.index.astype(int)
    ours = found.stack().reindex(named.index).fillna(0)
    assert np.minimum(ours, named).sum() >= 0.98 * len(truth)
    assert cells.var["role"].value_counts()["blank"] >= 10


def test_real_cosmx_without_names_of_cells(cosmx: tuple[Path, dict[int, Any]]) -> None:
    path, labels = cosmx
    spots = read_spots(path, SpotParams(only_fov="2", x0=4800, y0=3000)).drop(columns="cell")
    said = told(assign_spots(spots, labels[2]))
    assert said["orientation"] == "y flipped"
    assert said["tried"]["y flipped"] - said["tried"]["as given"] > 0.2


def test_real_cosmx_of_another_field_is_refused(cosmx: tuple[Path, dict[int, Any]]) -> None:
    path, labels = cosmx
    with pytest.raises(InputError, match=r"at best \d+\.\d% match.*y flipped.*%"):
        assign_spots(read_spots(path, SpotParams(only_fov="3")), labels[2])


def test_text_as_z_is_refused() -> None:
    spots = pd.DataFrame({"gene": ["A"], "x": [1.0], "y": [1.0], "z": ["top"]})
    with pytest.raises(InputError, match="1 of 1 spots have no finite z"):
        assign_spots(spots, np.ones((2, 4, 4), int))
