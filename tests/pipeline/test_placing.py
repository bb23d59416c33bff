"""A kill at every moment of placing files leaves a folder that says what it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import napari_gluer as ng
from napari_gluer.errors import InputError
from napari_gluer.pipeline.placing import aside_in, placed
from napari_gluer.pipeline.records import (
    RECORD,
    UNFINISHED,
    of_another_source,
    read_record,
    why_unfinished,
)

FIRST = ("cells.h5ad", "labels.ome.tif", "gene_A.png")
SECOND = ("cells.h5ad", "labels.ome.tif", "gene_B.png", "clusters.png")
THIRD = ("cells.h5ad", "gene_C.png")


class Killed(BaseException):
    """Like SIGKILL for what is tested here: nothing of it runs any further."""


def filled(aside: Path, run: str, names: tuple[str, ...], source: str = "tissue.tif") -> Path:
    aside.mkdir()
    for name in names:
        (aside / name).write_text(run)
    record = {"run": run, "files": [*names, RECORD], "inputs": {"source": {"path": source}}}
    (aside / RECORD).write_text(json.dumps(record))
    return aside


def contents(folder: Path) -> dict[str, str]:
    hidden = (one for one in folder.iterdir() if not one.name.startswith("."))
    return {one.name: one.read_text() for one in hidden}


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the n-th change of the disk (from 0) be the one that no longer happens."""

    def at(number: int) -> None:
        left = [number]

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*given: Any, **named: Any) -> Any:
                left[0] -= 1
                if left[0] < 0:
                    raise Killed
                return real(*given, **named)

            return call

        for name in ("replace", "unlink", "write_text"):
            monkeypatch.setattr(Path, name, counted(getattr(Path, name)))

    return at


def killed_at(number: int, tmp_path: Path, dying: Callable[[int], None]) -> bool:
    """Whether placing a second run over a first one was stopped before the change `number`."""
    folder = tmp_path / "out"
    folder.mkdir()
    placed(filled(tmp_path / "a", "first", FIRST), folder)
    (folder / "notes.txt").write_text("mine")
    aside = filled(tmp_path / "b", "second", SECOND)
    dying(number)
    try:
        placed(aside, folder)
    except Killed:
        return True
    return False


@pytest.mark.parametrize("number", range(12))
def test_wherever_it_is_killed_a_record_means_that_all_files_are_of_its_run(
    tmp_path: Path, dying: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    killed = killed_at(number, tmp_path, dying)
    monkeypatch.undo()
    folder = tmp_path / "out"
    assert killed == (number < 10), "2 for the mark, the old record, 4 files, gene_A, record, mark"
    found = contents(folder)
    assert found.pop("notes.txt") == "mine"
    mark = json.loads(found.pop(UNFINISHED, "{}"))
    if RECORD in found:
        record = json.loads(found.pop(RECORD))
        assert why_unfinished(folder) == ""
        assert found == dict.fromkeys(set(record["files"]) - {RECORD}, record["run"])
    else:
        assert f"{folder} is not finished" in why_unfinished(folder)
        assert set(found) <= set(mark["files"]) == {*FIRST, *SECOND}
    # whatever was left, the next run replaces it, and nothing else
    placed(filled(tmp_path / "c", "third", THIRD), folder)
    found = contents(folder)
    assert json.loads(found.pop(RECORD))["run"] == "third"
    assert found == {"notes.txt": "mine", **dict.fromkeys(THIRD, "third")}
    assert why_unfinished(folder) == ""


def test_a_folder_that_is_not_finished_still_belongs_to_its_source(
    tmp_path: Path, dying: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert killed_at(4, tmp_path, dying)
    monkeypatch.undo()
    folder = tmp_path / "out"
    assert read_record(folder) == {}
    other = ng.Inputs("right.tif", "atlas.h5ad")
    assert of_another_source(folder, other) == "tissue.tif"


def test_names_in_a_record_lead_nowhere_else(tmp_path: Path) -> None:
    folder, outside = tmp_path / "out", tmp_path / "precious.txt"
    folder.mkdir()
    outside.write_text("mine")
    record = {"files": ["../precious.txt", str(outside), "old.png"]}
    (folder / RECORD).write_text(json.dumps(record))
    (folder / "old.png").write_text("first")
    placed(filled(tmp_path / "a", "second", SECOND), folder)
    assert outside.read_text() == "mine"
    assert not (folder / "old.png").exists()


def test_a_folder_that_is_written_into_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert why_unfinished(folder) == ""
    with aside_in(folder):
        assert "holds no finished run" in why_unfinished(folder)
    assert not folder.exists()
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    assert why_unfinished(folder) == "", "a folder of other things"


def test_a_zarr_is_no_folder_for_a_run(tmp_path: Path) -> None:
    store = tmp_path / "table.zarr"
    store.mkdir()
    (store / "zarr.json").write_text("{}")
    with (
        pytest.raises(InputError, match="is a zarr; the files of a run would be mixed"),
        aside_in(store),
    ):
        pass
    assert [one.name for one in store.iterdir()] == ["zarr.json"]
