"""What importing the package costs, and that the core needs neither napari nor Qt."""

import pkgutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import napari_gluer

ROOT = Path(__file__).resolve().parents[1]

HEAVY = (
    "napari", "qtpy", "PyQt6", "magicgui", "torch", "scanpy", "anndata", "numba", "numpy", "pandas",
    "scipy", "sklearn", "skimage", "pydantic", "matplotlib", "h5py", "zarr", "dask", "cyclopts",
)  # fmt: skip
BANNED_IN_CORE = ("napari", "qtpy", "magicgui", "superqt", "pyqtgraph", "PyQt6")
SECONDS = 0.3  # over the same Python without the import, the best of several; it takes 0.01
TRIES = 7


def run_python(code: str) -> str:
    """Standard output of `code` in a process of its own."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def core_modules() -> list[str]:
    found = pkgutil.walk_packages(napari_gluer.__path__, "napari_gluer.")
    return sorted(m.name for m in found if "_napari" not in m.name)


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = run_python(
        "import sys, napari_gluer; dir(napari_gluer)\n"
        f"print(*(name for name in {HEAVY} if name in sys.modules), sep=',')"
    )
    assert loaded.strip() == ""


def test_importing_the_package_takes_no_time_over_a_bare_start() -> None:
    def best(code: str) -> float:
        seconds = []
        for _ in range(TRIES):
            started = time.perf_counter()
            run_python(code)
            seconds.append(time.perf_counter() - started)
        return min(seconds)

    assert best("import napari_gluer") - best("pass") < SECONDS


USER = """
import numpy as np
from anndata import AnnData

import napari_gluer as ng

image: ng.MultiplexImage = ng.read_image("tissue.ome.tif")
labels = ng.segment(image, ng.SegmentParams())
cells: AnnData = ng.clean(ng.measure(image, labels), ng.CleanParams())
reference: AnnData = ng.read_reference("atlas.h5ad", ng.SubsampleParams(n_cells=1000))
params = ng.IntegrateParams(preset="paper", factorize=ng.FactorizeParams(rank=10))
result = ng.integrate(cells, reference, params, seed=0)
values: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = ng.impute(result, reference, "CD8A")
types = ng.transfer_labels(result, reference, "cell_type")
types["cell_type_transferred"].value_counts()
learnt: ng.TrainedMap = ng.learn_map(cells, reference)
ng.save_map(learnt, "map.safetensors")
again: AnnData = ng.map_cells(cells, reference, ng.load_map("map.safetensors"), ng.MapParams())
outlines = ng.HandOverParams(geojson=ng.GeoJsonParams(object_type="detection"))
print(ng.hand_over(again, "cells.geojson", outlines, labels=labels).name, values.mean())
"""
WRONG = """
import napari_gluer as ng

ng.IntegrateParams(preset="papr")
ng.read_cells(3)
ng.map_cells("cells.h5ad")
"""


@pytest.mark.parametrize(("text", "errors"), [(USER, 0), (WRONG, 3)])
def test_a_users_script_is_checked_by_mypy_strict(text: str, errors: int, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(text)
    settings = ROOT / "pyproject.toml"  # strict; other packages are not followed, which is slow
    checked = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "mypy", "--config-file", str(settings), str(script)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    found = [line for line in checked.stdout.splitlines() if line.startswith(str(script))]
    wrong = [line for line in found if ": error:" in line]
    assert len(wrong) == errors, checked.stdout
    assert (Path(napari_gluer.__file__).parent / "py.typed").is_file()


def test_every_public_name_exists() -> None:
    # in a process of its own: the submodules it imports must not hide what the lazy import does
    missing = run_python(
        "import napari_gluer as ng\n"
        "wrong = [n for n in ng.__all__ if type(getattr(ng, n)).__name__ == 'module']\n"
        "wrong += [n for n in ng.__all__ if type(getattr(ng, n)).__name__ == 'module']\n"
        "print(*wrong)"
    )
    assert missing.strip() == ""


def test_the_core_needs_neither_napari_nor_qt() -> None:
    modules = core_modules()
    assert "napari_gluer.sample.tissue" in modules
    run_python(
        "import sys, importlib, warnings\n"
        "warnings.simplefilter('ignore')\n"
        f"sys.modules.update(dict.fromkeys({BANNED_IN_CORE}))\n"
        f"for name in {modules}: importlib.import_module(name)"
    )
