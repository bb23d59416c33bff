import hashlib
import os
from pathlib import Path

import pytest

from napari_gluer.errors import InputError
from napari_gluer.io import atomic
from napari_gluer.io.atomic import atomic_path, refuse_unwritable, restore
from napari_gluer.io.exchange import exchanged
from napari_gluer.io.hashing import sha256


def test_success_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "new folder" / "a.ome.tif"
    for text in ("first", "second"):
        with atomic_path(target) as partial:
            assert partial.name.endswith("a.ome.tif")
            partial.write_text(text)
        assert target.read_text() == text
    assert list(target.parent.iterdir()) == [target]


def fail_after(writing: Path) -> None:
    writing.parent.mkdir(exist_ok=True)
    writing.write_text("half")
    raise RuntimeError("half way")


def test_failure_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="half way"), atomic_path(target) as partial:
        fail_after(partial)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_fails_is_removed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="half way"), atomic_path(tmp_path / "a.zarr") as partial:
        fail_after(partial / "chunk")
    assert not list(tmp_path.iterdir())


def test_hash_of_a_file_and_of_a_folder(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.write_bytes(b"abc" * 1000)
    assert sha256(one) == hashlib.sha256(b"abc" * 1000).hexdigest()
    before = sha256(tmp_path)
    (tmp_path / "two").write_bytes(b"x")
    assert sha256(tmp_path) != before
    (tmp_path / "two").unlink()
    assert sha256(tmp_path) == before


def test_a_folder_takes_the_place_of_a_folder_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "a.zarr"
    for content in ("old", "new"):
        with atomic_path(target) as partial:
            partial.mkdir()
            (partial / content).touch()
    assert [file.name for file in target.iterdir()] == ["new"]
    with pytest.raises(RuntimeError, match="half way"), atomic_path(target) as partial:
        fail_after(partial / "chunk")
    assert [file.name for file in target.iterdir()] == ["new"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.zarr"]


def test_the_old_folder_comes_back_where_the_new_one_cannot_be_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.zarr"
    target.mkdir()
    (target / "old").touch()
    rename, calls = Path.rename, []

    def failing(self: Path, to: Path) -> Path:
        calls.append(to)
        if len(calls) == 2:
            raise OSError(28, "no space")
        return rename(self, to)

    monkeypatch.setattr(atomic, "exchanged", lambda *_: False)
    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="no space"), atomic_path(target) as partial:
        partial.mkdir()
    assert [file.name for file in target.iterdir()] == ["old"]


def folder_with(path: Path, content: str) -> Path:
    path.mkdir()
    (path / "inside").write_text(content)
    return path


def test_two_folders_change_places_at_once(tmp_path: Path) -> None:
    one, other = folder_with(tmp_path / "one", "1"), folder_with(tmp_path / "other", "2")
    if not exchanged(one, other):
        pytest.skip("this system or disk cannot exchange")
    assert (one / "inside").read_text() == "2"
    assert (other / "inside").read_text() == "1"
    assert not exchanged(one, tmp_path / "none"), "nothing to change places with"


@pytest.mark.parametrize("at_once", [True, False])
def test_a_folder_is_replaced_with_and_without_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    if not at_once:
        monkeypatch.setattr(atomic, "exchanged", lambda *_: False)
    target = folder_with(tmp_path / "a.zarr", "old")
    with atomic_path(target) as partial:
        folder_with(partial, "new")
    assert (target / "inside").read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_moved_aside_by_a_killed_process_comes_back(tmp_path: Path) -> None:
    target = tmp_path / "my-cells.zarr"
    folder_with(tmp_path / ".replaced-0123456789ab-my-cells.zarr", "old")
    folder_with(tmp_path / ".replaced-0123456789ab-cells.zarr", "of another")
    restore(target)
    assert (target / "inside").read_text() == "old"
    restore(target)  # is there: nothing to do
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        ".replaced-0123456789ab-cells.zarr",
        "my-cells.zarr",
    ]
    restore(tmp_path / "no folder" / "x.zarr")


def test_folders_that_cannot_be_written_to_are_refused_and_none_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_unwritable(tmp_path / "new" / "newer" / "x.csv")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file is a file, not a folder"):
        refuse_unwritable(tmp_path / "file" / "new" / "x.csv")
    monkeypatch.setattr(os, "access", lambda folder, _mode: folder != tmp_path)
    with pytest.raises(InputError, match="is not permitted"):
        refuse_unwritable(tmp_path / "new" / "x.csv")
