"""Files that would crash, hang or swamp the HDF5 library are found before it reads them."""

import sys
import time
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import pytest

from napari_gluer.errors import InputError
from napari_gluer.io import vetting
from napari_gluer.io.h5ad import read_h5ad


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.h5"
    with h5py.File(path, "w") as file:
        file["numbers"] = np.arange(1000.0)
        file["texts"] = np.array(["a", "b"], object)
        file.create_group("inside").attrs["about"] = "text"
        file["inside/again"] = file["numbers"]  # the same object under two names
    return path


def test_a_good_file_has_no_damage(good: Path) -> None:
    assert vetting.damage(good) == ""


def test_an_array_that_claims_more_than_is_stored_is_named(good: Path) -> None:
    with h5py.File(good, "a") as file:
        file.create_dataset("X", (300_000, 30_000), "f4", chunks=(100, 100))
    assert vetting.damage(good) == "/X claims 3.6e+10 bytes and stores 0"
    with pytest.raises(InputError, match=r"good\.h5 is damaged: /X claims 3\.6e\+10 bytes"):
        read_h5ad(good)


def test_zeros_pack_well_and_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "zeros.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=np.zeros((4000, 3000), "f8"), compression="gzip")
    assert path.stat().st_size < 300_000
    assert vetting.damage(path) == ""


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashes on it"),
        ("while True: pass", "does not end within 0 s"),
        (
            "import faulthandler as f\nf.dump_traceback_later(0.4, exit=True)\nwhile True: pass",
            "does not end within 0 s",
        ),
        ("raise OSError('the reader will say it')", ""),
    ],
)
def test_crashes_and_hangs_are_told(
    script: str, found: str, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in for the library's own faults: a script that does the same."""
    stand_in = tmp_path / "stand_in.py"
    stand_in.write_text(script)
    monkeypatch.setattr(vetting, "__file__", str(stand_in))
    monkeypatch.setattr(vetting, "_PATIENCE", 0.4)
    monkeypatch.setattr(vetting, "_STARTS_IN", 2.0)
    start = time.perf_counter()
    assert found in vetting.damage(good)
    assert time.perf_counter() - start < 4


def test_a_slow_start_is_no_damage(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy computer takes seconds to load Python; the file is not to blame."""
    stand_in = tmp_path / "stand_in.py"
    text = Path(vetting.__file__).read_text("utf-8").replace('"""\n', '"""\nimport time\n', 1)
    stand_in.write_text(text.replace("import h5py", "time.sleep(1.2)\nimport h5py", 1), "utf-8")
    monkeypatch.setattr(vetting, "__file__", str(stand_in))
    monkeypatch.setattr(vetting, "_PATIENCE", 0.9)
    assert vetting.damage(good) == ""


def test_the_process_imports_little(good: Path) -> None:
    """It is begun for every file that is opened."""
    text = Path(vetting.__file__).read_text("utf-8")
    lines = text.splitlines()
    imported = {
        line.split()[1].split(".")[0] for line in lines if line.startswith(("import", "from"))
    }
    assert imported - set(sys.stdlib_module_names) == {"h5py", "numpy"}
    assert vetting.damage(good) == ""
