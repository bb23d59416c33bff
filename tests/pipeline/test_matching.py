"""Names of sources, and masks that belong to them: a wrong join must be refused, not guessed."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import napari_gluer as ng
from napari_gluer.pipeline.matching import expanded, folder_names, is_for_many, matched, stem


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a/left.ome.tif", "left"),
        ("LEFT.OME.TIFF", "LEFT"),
        ("a.b.csv.gz", "a.b"),
        ("slide.zarr.zip", "slide"),
        ("https://host/data/slide.zarr/", "slide"),
        ("codex_stack", "codex_stack"),
        ("v1.2.h5ad", "v1.2"),
        (".tif", ".tif"),
    ],
)
def test_stem(source: str, name: str) -> None:
    assert stem(source) == name


def test_folders_bear_the_stems_of_their_sources() -> None:
    assert folder_names(["x/left.ome.tif", "x/right.ome.tif"]) == ["left", "right"]


def test_stems_that_repeat_get_their_parents_names() -> None:
    sources = ["p1/slide.tif", "p2/slide.tif", "p2/other.tif"]
    assert folder_names(sources) == ["p1_slide", "p2_slide", "other"]
    assert folder_names(["a/x/s.tif", "b/x/s.tif"]) == ["a_x_s", "b_x_s"]
    assert folder_names(["d/s.tif", "d/S.h5ad"]) == ["s.tif", "S.h5ad"]


def test_a_source_given_twice_is_refused() -> None:
    with pytest.raises(ng.InputError, match="Given twice"):
        folder_names(["a/s.tif", "a/../a/s.tif"])


words = st.text("ab._-", min_size=1, max_size=4).filter(lambda word: word not in {".", ".."})


@given(st.lists(st.tuples(words, words).map("/".join), unique=True, min_size=1, max_size=6))
def test_folders_are_never_shared(sources: list[str]) -> None:
    try:
        names = folder_names(sources)
    except ng.InputError:
        return  # refused, not shared
    assert len({name.casefold() for name in names}) == len(sources)
    assert not any("/" in name for name in names)


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    folder = tmp_path / "masks"
    folder.mkdir()
    return folder


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(b"")


def names_of(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_masks_are_matched_by_stem_whatever_the_order(masks: Path) -> None:
    put(masks, "s10_mask.tif", "s1.ome.tif", "S2-cp_masks.png", "s2b_labels.tif", ".hidden.tif")
    found = matched(["x/s10.tif", "x/s1.tif"], masks, "masks")
    assert names_of(found) == ["s10_mask.tif", "s1.ome.tif"]


def test_a_longer_name_is_no_match(masks: Path) -> None:
    put(masks, "s1_b_mask.tif")
    with pytest.raises(ng.InputError, match="s1 has no masks"):
        matched(["s1.tif", "s1_b.tif"], masks, "masks")
    put(masks, "s1_mask.tif")
    found = matched(["s1.tif", "s1_b.tif"], masks, "masks")
    assert names_of(found) == ["s1_mask.tif", "s1_b_mask.tif"]


def test_several_masks_of_one_image_are_refused_by_name(masks: Path) -> None:
    put(masks, "s1_cells.tif", "s1_nuclei.tif", "s2.tif")
    with pytest.raises(ng.InputError, match=re.escape("s1_cells.tif, s1_nuclei.tif")):
        matched(["s1.tif", "s2.tif"], masks, "masks")
    pattern = str(masks / "*_nuclei.tif")
    assert names_of(matched(["s1.tif"], pattern, "masks")) == ["s1_nuclei.tif"]
    with pytest.raises(ng.InputError, match="s2 has no masks"):
        matched(["s1.tif", "s2.tif"], pattern, "masks")


@pytest.mark.parametrize("pattern", ["m/*_*.tif", "m/[ab]*.tif", "m/?.tif"])
def test_a_pattern_has_one_star(pattern: str) -> None:
    with pytest.raises(ng.InputError, match="has one"):
        matched(["s1.tif"], pattern, "masks")


def test_images_of_one_name_have_no_masks_of_their_own(masks: Path) -> None:
    put(masks, "s.tif")
    with pytest.raises(ng.InputError, match="called alike"):
        matched(["a/s.tif", "b/s.tif"], masks, "masks")


def test_one_file_is_not_for_many(masks: Path) -> None:
    put(masks, "all.tif")
    with pytest.raises(ng.InputError, match="2 sources need a folder of masks"):
        matched(["a.tif", "b.tif"], masks / "all.tif", "masks")
    assert not is_for_many(masks / "all.tif")
    assert is_for_many(masks)
    assert is_for_many(str(masks / "*.tif"))
    assert not is_for_many("https://host/labels.zarr")
    assert not is_for_many(None)
    (masks / "labels.zarr").mkdir()
    assert not is_for_many(masks / "labels.zarr")


def test_patterns_of_sources_are_expanded_sorted(tmp_path: Path) -> None:
    put(tmp_path, "b.tif", "a.tif", "[odd].tif")
    found = expanded([str(tmp_path / "?.tif"), "other.tif", str(tmp_path / "[odd].tif")])
    assert [Path(one).name for one in found] == ["a.tif", "b.tif", "other.tif", "[odd].tif"]
    with pytest.raises(ng.InputError, match="No file is called"):
        expanded([str(tmp_path / "*.png")])
