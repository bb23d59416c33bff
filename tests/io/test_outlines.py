"""Outlines of QuPath, Xenium and MERSCOPE as labels and regions."""

import gzip
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.boundaries import is_boundaries
from napari_gluer.io.geojson import read_regions
from napari_gluer.io.labels_files import open_labels, read_labels
from napari_gluer.io.outlines import is_outlines, read_polygons
from napari_gluer.io.wkb import rings_of_wkb

SIDE = 40
IMAGE = MultiplexImage(np.zeros((1, SIDE, SIDE), np.uint8), ["DAPI"], 0.5)
BARE = MultiplexImage(np.zeros((1, SIDE, SIDE), np.uint8), ["DAPI"])


def test_outlines_in_um_ask_for_their_image_first(tmp_path: Path) -> None:
    table = pd.DataFrame({"cell_id": ["a"] * 3, "vertex_x": [0, 4, 4.0], "vertex_y": [0, 0, 4.0]})
    table.to_parquet(tmp_path / "cell_boundaries.parquet")
    with pytest.raises(InputError, match="say which image they belong to"):
        open_labels(tmp_path / "cell_boundaries.parquet")


def box(x: float, y: float, width: float, height: float) -> list[list[float]]:
    """A closed ring as GeoJSON has it, x first."""
    right, low = x + width, y + height
    return [[x, y], [right, y], [right, low], [x, low], [x, y]]


def feature(coordinates: Any, kind: str = "Polygon", **facts: Any) -> dict[str, Any]:
    id_ = facts.pop("id", None)
    geometry = {"type": kind, "coordinates": coordinates}
    found = {"type": "Feature", "geometry": geometry, "properties": facts}
    return found if id_ is None else {**found, "id": id_}


def saved(folder: Path, features: Any, name: str = "cells.geojson") -> Path:
    (folder / name).write_text(json.dumps(features))
    return folder / name


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


CELLS = (
    feature([box(2, 3, 5, 4)], objectType="cell", id="a0"),
    feature([box(10, 12, 8, 8), box(12, 14, 2, 2)], objectType="cell", id="b1"),
    feature([[box(20, 30, 3, 3)], [box(25, 30, 3, 3)]], "MultiPolygon", objectType="cell", id="c2"),
)


def expected_cells() -> np.ndarray:
    """QuPath's corners: a box from x to x + w holds the pixels x … x + w - 1."""
    labels = np.zeros((SIDE, SIDE), int)
    labels[3:7, 2:7] = 1
    labels[12:20, 10:18] = 2
    labels[14:16, 12:14] = 0
    labels[30:33, 20:23] = labels[30:33, 25:28] = 3
    return labels


@pytest.mark.parametrize("as_list", [True, False])
def test_qupath_cells_with_holes_and_parts(tmp_path: Path, as_list: bool) -> None:
    path = saved(tmp_path, list(CELLS) if as_list else collection(*CELLS))
    found = open_labels(path, like=IMAGE)
    assert_array_equal(found.data, expected_cells())
    assert found.pixel_size_um == (0.5, 0.5)
    assert found.notes == ()
    assert found.ids is not None
    assert found.ids["label"].tolist() == [1, 2, 3]
    assert found.ids["id"].tolist() == ["a0", "b1", "c2"]
    assert_array_equal(read_labels(path, like=IMAGE), expected_cells())


def test_whole_numbers_as_ids_are_the_labels(tmp_path: Path) -> None:
    cells = [{**cell, "id": number} for cell, number in zip(CELLS, (70, 3, 12), strict=True)]
    labels = read_labels(saved(tmp_path, collection(*cells)), like=IMAGE)
    assert_array_equal(labels, np.array([0, 70, 3, 12])[expected_cells()])
    for ids in ((70, 3, 3), (0, 1, 2), (1, 2, 2**31), ("1", "2", "x")):
        cells = [{**cell, "id": number} for cell, number in zip(CELLS, ids, strict=True)]
        labels = read_labels(saved(tmp_path, collection(*cells)), like=IMAGE)
        assert_array_equal(labels, expected_cells())


def test_annotations_beside_cells_are_regions_not_cells(tmp_path: Path) -> None:
    annotation = feature([box(0, 0, 40, 40)], objectType="annotation", name="tumour")
    point = feature([3, 4], "Point", objectType="detection")
    found = open_labels(saved(tmp_path, collection(annotation, *CELLS, point)), like=IMAGE)
    assert_array_equal(found.data, expected_cells())
    assert "1 annotations" in found.notes[0]
    assert "1 features" in found.notes[1]


def test_nuclei_of_cells_are_taken_when_asked_for(tmp_path: Path) -> None:
    nucleus = {"type": "Polygon", "coordinates": [box(3, 4, 2, 2)]}
    path = saved(tmp_path, collection({**CELLS[0], "nucleusGeometry": nucleus}))
    expected = np.zeros((SIDE, SIDE), int)
    expected[4:6, 3:5] = 1
    assert_array_equal(read_labels(path, like=IMAGE, name="nucleus"), expected)


def test_what_is_lost_is_counted(tmp_path: Path) -> None:
    cells = collection(
        feature([box(0, 0, 10, 10)]),
        feature([box(5, 0, 10, 10)]),  # half under the first
        feature([box(2, 2, 3, 3)]),  # wholly under it
        feature([box(100, 100, 5, 5)]),  # outside
        feature([box(20.6, 20.6, 0.3, 0.3)]),  # between centres
        feature([[[30, 30], [38, 38], [30, 38], [38, 30], [30, 30]]]),  # a bow
    )
    found = open_labels(saved(tmp_path, cells), like=IMAGE)
    assert np.bincount(found.data[:12].ravel())[1:].tolist() == [100, 50]
    said = " ".join(found.notes)
    assert "1 of 6 outlines of cells.geojson lie outside" in said
    assert "1 of 6 outlines of cells.geojson hold no centre" in said
    assert "1 of 6 outlines of cells.geojson are covered wholly" in said
    assert "1 of 6 outlines of cells.geojson overlap earlier ones" in said
    assert "1 of 6 outlines of cells.geojson cross themselves" in said
    assert (found.data == 6).sum() > 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not GeoJSON"),
        ("{", "not GeoJSON"),
        ("3", "no GeoJSON"),
        ('{"type": "Topology"}', "no GeoJSON"),
        ("[3]", "feature 0 is int"),
        ("[]", "holds no polygon"),
        (json.dumps([feature([3, 4], "Point")]), "holds no polygon"),
        (json.dumps([feature([[["a", "b"]]])]), "no list of"),
        (json.dumps([feature([[3, 4]])]), "no list of"),
        (json.dumps([feature([[[1, 2], [3, float("nan")], [4, 5]]])]), "NaN"),
        (json.dumps([feature("x")]), "no coordinates"),
        ("[" * 100_000, "not GeoJSON"),
    ],
)
def test_bad_geojson_is_one_clear_error(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "cells.geojson").write_text(text)
    with pytest.raises(InputError, match=says):
        read_labels(tmp_path / "cells.geojson", like=IMAGE)


def test_outlines_need_an_image_that_they_lie_in(tmp_path: Path) -> None:
    path = saved(tmp_path, collection(feature([box(500, 600, 5, 5)])))
    with pytest.raises(InputError, match="say which image"):
        read_labels(path)
    with pytest.raises(InputError, match=r"No outline.*from y 600 to 604 and x 500 to 504"):
        read_labels(path, like=IMAGE)
    deep = MultiplexImage(np.zeros((1, 3, SIDE, SIDE)), ["DAPI"])
    with pytest.raises(InputError, match="planes in z"):
        read_labels(path, like=deep)
    with pytest.raises(InputError, match="no file"):
        read_polygons(tmp_path / "none.geojson")


def test_regions_to_include_and_to_leave_out(tmp_path: Path) -> None:
    ignored = {"classification": {"name": "Ignore*"}}
    path = saved(
        tmp_path,
        collection(
            feature([box(0, 0, 30, 30)], objectType="annotation", name="tumour"),
            feature([box(5, 5, 4, 4)], objectType="annotation", **ignored),
            feature([box(12, 5, 4, 4)], objectType="annotation", name="exclude fold"),
            *CELLS,
        ),
    )
    regions = read_regions(path)
    assert [len(regions.include), len(regions.exclude)] == [1, 2]
    assert regions.mask((slice(0, 40), slice(0, 40))).sum() == 900 - 32
    cells_only = read_regions(saved(tmp_path, list(CELLS)))
    assert [len(cells_only.include), len(cells_only.exclude)] == [3, 0]
    with pytest.raises(InputError, match="no polygon"):
        read_regions(saved(tmp_path, []))


def xenium(ids: list[Any]) -> pd.DataFrame:
    """Boxes of µm; pixels of 0.5 µm."""
    rows = []
    for number, id_ in enumerate(ids):
        for x, y in box(2 + 6 * number, 3, 4, 5):
            rows.append((id_, x / 2, y / 2))
    return pd.DataFrame(rows, columns=["cell_id", "vertex_x", "vertex_y"])


def expected_boxes(labels: list[int]) -> np.ndarray:
    drawn = np.zeros((SIDE, SIDE), int)
    for number, label in enumerate(labels):
        drawn[3:8, 2 + 6 * number : 6 + 6 * number] = label
    return drawn


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".csv.gz"])
@pytest.mark.parametrize(
    ("ids", "labels"), [(["aaa-1", "bbb-1", "ccc-1"], [1, 2, 3]), ([70, 3, 12], [70, 3, 12])]
)
def test_xenium_boundaries(tmp_path: Path, suffix: str, ids: list[Any], labels: list[int]) -> None:
    path = tmp_path / f"cell_boundaries{suffix}"
    table = xenium(ids)
    table.to_parquet(path) if suffix == ".parquet" else table.to_csv(path, index=False)
    assert is_outlines(path)
    found = open_labels(path, like=IMAGE)
    assert_array_equal(found.data, expected_boxes(labels))
    assert found.ids is not None
    assert found.ids["id"].tolist() == [str(id_) for id_ in ids]
    with pytest.raises(InputError, match="pixel size is not known"):
        read_labels(path, like=BARE)


def test_xenium_ids_as_bytes_and_parts_of_one_cell(tmp_path: Path) -> None:
    table = xenium([b"a-1", b"b-1", b"a-1"])
    table["label_id"] = np.repeat([1, 2, 3], 5)
    table.to_parquet(tmp_path / "n.parquet")
    found = open_labels(tmp_path / "n.parquet", like=IMAGE)
    assert_array_equal(found.data, expected_boxes([1, 2, 1]))
    assert found.ids is not None
    assert found.ids["id"].tolist() == ["a-1", "b-1"]


def test_tables_with_gaps_are_refused(tmp_path: Path) -> None:
    table = xenium([1, 2])
    table.loc[3, "vertex_x"] = np.nan
    table.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InputError, match="1 of 10 points are no numbers"):
        read_labels(tmp_path / "a.csv", like=IMAGE)
    table = xenium(["a", None])
    table.to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(InputError, match="5 points have no cell_id"):
        read_labels(tmp_path / "b.csv", like=IMAGE)
    pd.DataFrame({"x": [1], "y": [2]}).to_csv(tmp_path / "c.csv", index=False)
    assert not is_boundaries(tmp_path / "c.csv")


@pytest.mark.parametrize("name", ["a.parquet", "a.csv.gz", "a.csv"])
@pytest.mark.parametrize("content", [b"", b"PAR1 nonsense", bytes(range(256)) * 20])
def test_files_that_are_no_tables_are_no_outlines(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    assert not is_outlines(tmp_path / name)
    (tmp_path / name).write_bytes(gzip.compress(content)[:-4])
    assert not is_outlines(tmp_path / name)


def polygon_wkb(rings: list[Any], order: str = "<", code: int = 3, extra: int = 0) -> bytes:
    data = struct.pack(order + "BII", order == "<", code, len(rings))
    for ring in rings:
        data += struct.pack(order + "I", len(ring))
        for point in ring:
            data += struct.pack(order + f"{2 + extra}d", *point, *[7.0] * extra)
    return data


def collected_wkb(parts: list[bytes], code: int = 6) -> bytes:
    return struct.pack("<BII", 1, code, len(parts)) + b"".join(parts)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("code", "extra"), [(3, 0), (1003, 1), (2003, 1), (3003, 2), (0x80000003, 1)]
)
def test_wkb_of_every_flavour(order: str, code: int, extra: int) -> None:
    rings = [box(2, 3, 5, 4), box(3, 4, 1, 1)]
    data = polygon_wkb(rings, order, code, extra)
    for one in (data, collected_wkb([data]), collected_wkb([collected_wkb([data])], 7)):
        assert_array_equal(rings_of_wkb(one), rings)
    two = rings_of_wkb(collected_wkb([data, polygon_wkb([box(9, 9, 1, 1)])]))
    assert [len(ring) for ring in two] == [5, 5, 5]


@given(data=st.binary(max_size=60), cut=st.integers(0, 180))
def test_damaged_wkb_is_refused_or_read_but_nothing_else(data: bytes, cut: int) -> None:
    whole = collected_wkb([polygon_wkb([box(2, 3, 5, 4), box(3, 4, 1, 1)])])
    for one in (data, whole[:cut], whole[:cut] + data):
        try:
            rings = rings_of_wkb(one)
        except InputError:
            continue
        assert all(ring.ndim == 2 and ring.shape[1] == 2 for ring in rings)


def merscope(folder: Path, *, transform: np.ndarray | None = None) -> Path:
    """Three cells in two planes, outlines in µm as WKB."""
    rows = [
        (id_, z, collected_wkb([polygon_wkb([[[x / 2, y / 2] for x, y in box(*place)]])]))
        for z in (1, 3)
        for id_, place in ((70, (2, 3, 4, 5)), (3, (8, 3, 4, 5)), (12, (14, 3, 4, 5)))
        if z == 3 or id_ != 12
    ]
    table = pd.DataFrame(rows, columns=["EntityID", "ZIndex", "Geometry"])
    table.to_parquet(folder / "cell_boundaries.parquet")
    if transform is not None:
        (folder / "images").mkdir()
        np.savetxt(folder / "images" / "micron_to_mosaic_pixel_transform.csv", transform)
    return folder / "cell_boundaries.parquet"


def test_merscope_boundaries_of_the_fullest_plane(tmp_path: Path) -> None:
    found = open_labels(merscope(tmp_path), like=IMAGE)
    assert_array_equal(found.data, expected_boxes([70, 3, 12]))
    assert "2 planes; those of 3 are used" in found.notes[0]


def test_merscope_brings_its_own_transform(tmp_path: Path) -> None:
    matrix = np.array([[2, 0, 3.5], [0, 2, 7.5], [0, 0, 1]])
    polygons, _ = read_polygons(merscope(tmp_path, transform=matrix))
    assert [one.label for one in polygons] == [70, 3, 12]
    assert_allclose(polygons[0].bounds, (10.5, 5.5, 15.5, 9.5))


def test_merscope_geometry_of_another_kind_is_refused(tmp_path: Path) -> None:
    for value in (struct.pack("<BIdd", 1, 1, 2.0, 3.0), b"\x01"):
        table = pd.DataFrame({"EntityID": [1], "Geometry": [value]})
        table.to_parquet(tmp_path / "a.parquet")
        with pytest.raises(InputError, match="WKB"):
            read_labels(tmp_path / "a.parquet", like=IMAGE)
    pd.DataFrame({"EntityID": [1], "Geometry": ["text"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="no WKB"):
        read_labels(tmp_path / "a.parquet", like=IMAGE)
