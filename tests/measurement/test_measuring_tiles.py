"""Tiles, clusters and kills do not change what is measured."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from anndata import AnnData
from distributed import LocalCluster
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.images import read_image
from napari_gluer.measurement import intensities
from napari_gluer.measurement.intensities import measure
from napari_gluer.measurement.params import MeasureParams
from napari_gluer.tiles import TileParams

EVERYTHING = MeasureParams(median=True, sum=True, std=True, shape=True, bounding_box=True)


def made(seed: int = 0, shape: tuple[int, ...] = (40, 30), dtype: str = "u2") -> Any:
    """An image of cells of some pixels, some in several pieces; labels; nuclei."""
    rng = np.random.default_rng(seed)
    coarse = rng.choice([0, 0, 3, 4, 7, 2**33], [-(-size // 4) for size in shape])
    labels, nuclei = coarse, rng.choice([0, 5, 9], coarse.shape)
    for axis in range(len(shape)):
        labels, nuclei = labels.repeat(4, axis), nuclei.repeat(4, axis)
    cut = tuple(slice(size) for size in shape)
    labels, nuclei = labels[cut], np.roll(nuclei[cut], 2, axis=-1)
    labels.flat[0] = 3
    pixels = (rng.random((3, *shape)) * 200).astype(dtype)
    return MultiplexImage(pixels, ["CD3", "CD8", "DAPI"], 0.5), labels, nuclei


def assert_same(one: AnnData, other: AnnData) -> None:
    assert list(one.obs) == list(other.obs)
    for column in one.obs:
        a, b = one.obs[column].to_numpy(float), other.obs[column].to_numpy(float)
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9, err_msg=column)
    assert set(one.layers) == set(other.layers)
    for name in one.layers:
        np.testing.assert_allclose(one.layers[name], other.layers[name], rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(one.X, other.X, rtol=1e-6)
    np.testing.assert_allclose(one.obsm["spatial"], other.obsm["spatial"], rtol=1e-9)
    assert slots.info(one) == slots.info(other)


@given(
    st.integers(0, 2**16),
    st.sampled_from([(40, 30), (5, 17, 23), (1, 33)]),
    st.sampled_from(["u2", "f4"]),
    st.integers(1, 50),
)
def test_tiles_do_not_change_the_result(
    seed: int, shape: tuple[int, ...], dtype: str, side: int
) -> None:
    image, labels, nuclei = made(seed, shape, dtype)
    side = max(side, 4)
    whole = measure(image, labels, EVERYTHING, nuclei=nuclei, tiles=TileParams(side=100))
    tiled = measure(image, labels, EVERYTHING, nuclei=nuclei, tiles=TileParams(side=side))
    assert_same(whole, tiled)


def test_an_automatic_tile_is_whole_rows_of_memory_and_squares_of_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intensities, "_SIDE", 8)
    image, labels, _ = made(shape=(40, 16))
    rows = intensities._tiles(image, TileParams())
    assert [tile.core[0] for tile in rows] == [slice(top, top + 4) for top in range(0, 40, 4)]
    assert all(tile.core[1] == slice(0, 16) for tile in rows)
    lazy = MultiplexImage(zarr.array(image.data, chunks=(1, 8, 8)), image.channels, 0.5)
    squares = intensities._tiles(lazy, TileParams())
    assert len(squares) == 10
    assert squares[1].core == (slice(0, 8), slice(8, 16))
    assert_same(measure(image, labels), measure(lazy, zarr.array(labels)))


def test_strips_of_a_file_are_measured_by_whole_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each strip is unpacked once, not once for every square beside the other."""
    monkeypatch.setattr(intensities, "_SIDE", 8)
    image, labels, _ = made(shape=(40, 16))
    kinds = {"strips": {"rowsperstrip": 2}, "squares": {"tile": (16, 16)}}
    for kind, stored in kinds.items():
        path = tmp_path / f"{kind}.tif"
        tifffile.imwrite(
            path, np.tile(image.data, (1, 1, 2)), photometric="minisblack", compression="lzw",
            **stored,
        )  # fmt: skip
        read = read_image(path)
        wide = intensities._tiles(read, TileParams())[0].core[1] == slice(0, 32)
        assert wide == (kind == "strips")
        again = MultiplexImage(read.data, image.channels)
        wanted = MultiplexImage(np.asarray(read.data), image.channels)
        twice = np.concatenate([labels, np.where(labels > 0, labels + labels.max(), 0)], axis=1)
        assert_same(measure(wanted, twice), measure(again, twice))


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as two:
        yield two


def test_a_cluster_measures_the_same(cluster: LocalCluster, tmp_path: Path) -> None:
    image, labels, nuclei = made(shape=(40, 60))
    there = TileParams(side=32, cluster=cluster.scheduler_address)
    here = measure(image, labels, EVERYTHING, nuclei=nuclei)
    assert_same(here, measure(image, labels, EVERYTHING, nuclei=nuclei, tiles=there))
    stored = zarr.create_array(tmp_path / "i.zarr", data=image.data, chunks=(1, 16, 16))
    masks = zarr.create_array(tmp_path / "l.zarr", data=labels, chunks=(16, 16))
    lazy = MultiplexImage(stored, image.channels, 0.5)
    assert_same(here, measure(lazy, masks, EVERYTHING, nuclei=nuclei, tiles=there))


class Breaking:
    """Pixels that cannot be read any more after some reads; counts them."""

    def __init__(self, values: np.ndarray, reads: int) -> None:
        self.values, self.shape, self.dtype = values, values.shape, values.dtype
        self.left, self.done = reads, 0

    def __getitem__(self, key: Any) -> np.ndarray:
        part = self.values[key]
        if part.shape[-1] == 10 and part.ndim == 3:  # a tile, not a window of the fingerprint
            if self.done == self.left:
                raise OSError("the disk is gone")
            self.done += 1
        return part


def test_finished_tiles_are_not_measured_again(tmp_path: Path) -> None:
    image, labels, nuclei = made(shape=(40, 30))
    tiles = TileParams(side=10, workers=1)  # 12 tiles, two at a time
    breaking = Breaking(image.data, 5)
    given = {"nuclei": nuclei, "tiles": tiles, "store": tmp_path / "kept"}
    params = MeasureParams(shape=True, std=True)
    with pytest.raises(OSError, match="disk is gone"):
        measure(MultiplexImage(breaking, image.channels, 0.5), labels, params, **given)
    assert len(list((tmp_path / "kept/measure").glob("*.npz"))) == 4
    mended = Breaking(image.data, 100)
    resumed = measure(MultiplexImage(mended, image.channels, 0.5), labels, params, **given)
    assert mended.done == 8
    assert_same(resumed, measure(image, labels, params, nuclei=nuclei))
    again = Breaking(image.data, 0)
    third = measure(MultiplexImage(again, image.channels, 0.5), labels, params, **given)
    assert again.done == 0
    assert_same(third, resumed)


@pytest.mark.parametrize("changed", ["labels", "nuclei", "image", "params", "tiles"])
def test_a_store_of_other_work_is_refused(tmp_path: Path, changed: str) -> None:
    image, labels, nuclei = made(shape=(40, 300))
    measure(image, labels, nuclei=nuclei, store=tmp_path / "kept")
    given: dict[str, Any] = {"nuclei": nuclei}
    params = MeasureParams(std=changed == "params")
    if changed == "labels":
        labels = labels.copy()
        labels[17, 113] += 1  # one pixel, corrected by hand
    elif changed == "nuclei":
        given["nuclei"] = nuclei + 1
    elif changed == "image":
        image = MultiplexImage(image.data + 1, image.channels, 0.5)
    elif changed == "tiles":
        given["tiles"] = TileParams(side=20)
    with pytest.raises(InputError, match=f"other work.*different are.*{changed.rstrip('s')}|std"):
        measure(image, labels, params, store=tmp_path / "kept", **given)


def test_nuclei_by_hand() -> None:
    labels = np.array([[1, 1, 1, 1, 2, 2, 2, 0, 3, 3]])
    nuclei = np.array([[0, 8, 8, 8, 8, 6, 0, 6, 0, 0]])  # 8 lies mostly in 1; 6 in 2 and outside
    pixels = np.array([[[1.0, 2, 3, 4, 5, 6, 7, 8, 9, 11]]])
    cells = measure(MultiplexImage(pixels, ["a"]), labels, nuclei=nuclei)
    assert list(cells.obs["nucleus_px"]) == [3, 1, 0]
    assert list(cells.obs["n_nuclei"]) == [1, 1, 0]
    np.testing.assert_allclose(cells.layers["nucleus"].ravel(), [3, 6, np.nan])
    np.testing.assert_allclose(cells.layers["cytoplasm"].ravel(), [1, 6, 10])
    report = slots.info(cells)["measure"]
    assert report["cells_without_nucleus"] == 1
    assert report["outcome"].endswith("1 cells without a nucleus.")


@given(st.integers(0, 2**16), st.sampled_from(["u1", "f8"]))
def test_nucleus_and_cytoplasm_by_brute_force(seed: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    labels, nuclei = rng.integers(0, 5, (2, 12, 12)), rng.integers(0, 7, (2, 12, 12))
    labels[0, 0, 0] = 1
    pixels = (rng.random((2, 2, 12, 12)) * 90).astype(dtype)
    cells = measure(MultiplexImage(pixels, "ab"), labels, nuclei=nuclei, tiles=TileParams(side=5))
    owner = {}
    for nucleus in range(1, 7):
        shared = np.bincount(labels[(nuclei == nucleus) & (labels > 0)], minlength=5)
        if shared.sum():
            owner[nucleus] = int(shared.argmax())
    for row, cell in enumerate(cells.obs["label"]):
        own = np.isin(nuclei, [nucleus for nucleus in owner if owner[nucleus] == cell])
        inside = labels == cell
        assert cells.obs["nucleus_px"].iloc[row] == (own & inside).sum()
        assert cells.obs["n_nuclei"].iloc[row] == list(owner.values()).count(cell)
        for name, mask in (("nucleus", own & inside), ("cytoplasm", ~own & inside)):
            truth = pixels[:, mask].mean(axis=1) if mask.any() else [np.nan, np.nan]
            np.testing.assert_allclose(cells.layers[name][row], truth, rtol=1e-6)


def test_nuclei_of_another_shape_are_refused() -> None:
    image, labels, nuclei = made()
    with pytest.raises(InputError, match="Nuclei and image differ in shape"):
        measure(image, labels, nuclei=nuclei[1:])


def test_labels_are_checked_in_every_tile() -> None:
    image, labels, _ = made()
    wrong = labels.astype(float)
    wrong[35, 25] = 1.5
    with pytest.raises(InputError, match="fractions"):
        measure(image, wrong, tiles=TileParams(side=10))
    negative = np.where(labels == 7, -7, labels)
    with pytest.raises(InputError, match="not be negative"):
        measure(image, negative, tiles=TileParams(side=10))
