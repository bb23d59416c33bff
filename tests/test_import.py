"""What importing the package costs, and that the core needs neither napari nor Qt."""

import pkgutil
import subprocess
import sys

import napari_gluer

HEAVY = ("napari", "qtpy", "PyQt6", "torch", "scanpy", "anndata", "numba")
BANNED_IN_CORE = ("napari", "qtpy", "magicgui", "superqt", "pyqtgraph", "PyQt6")
SECONDS = 2.0  # it takes 0.05; a slow machine may take its time, an import of torch may not


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


def test_importing_the_package_loads_nothing_heavy_and_is_quick() -> None:
    loaded, seconds = run_python(
        "import sys, time; started = time.perf_counter(); import napari_gluer\n"
        "seconds = time.perf_counter() - started\n"
        f"print(*(name for name in {HEAVY} if name in sys.modules), sep=',')\n"
        "print(seconds)"
    ).splitlines()
    assert loaded == ""
    assert float(seconds) < SECONDS


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
