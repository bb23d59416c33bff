"""What must hold where only the wheel and its dependencies are installed: no napari, no Qt."""

import importlib
import importlib.metadata
import pkgutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path


def must(holds: bool, claim: str) -> None:  # noqa: FBT001 - it reads as the sentence it is
    """End with `claim` where it does not hold."""
    if not holds:
        sys.exit(f"Not so in an environment that holds only the wheel: {claim}")


def check_modules() -> str:
    """Import every module of the core; a line that says what was found."""
    present = [name for name in ("napari", "PyQt6", "PySide6", "PyQt5") if find_spec(name)]
    must(not present, f"it is without {present}")
    package = importlib.import_module("napari_gluer")
    must("site-packages" in str(package.__file__), f"{package.__file__} is the installed package")
    installed = importlib.metadata.version("napari-gluer")
    must(package.__version__ == installed, f"__version__ {package.__version__} is {installed}")
    for name in package.__all__:
        getattr(package, name)
    names = [m.name for m in pkgutil.walk_packages(package.__path__, "napari_gluer.")]
    core = [name for name in names if "_napari" not in name]
    for name in core:
        importlib.import_module(name)
    return f"napari-gluer {installed}: {len(core)} modules without napari"


def check_manifest(expected: Path) -> None:
    """The manifest is where napari looks for it, and is `expected`."""
    (entry,) = importlib.metadata.entry_points(group="napari.manifest", name="napari-gluer")
    folder, _, file = entry.value.partition(":")
    found = find_spec(folder)
    must(found is not None, f"there is {entry.value}")
    places = [Path(place) / file for place in (found and found.submodule_search_locations) or []]
    same = any(p.is_file() and p.read_bytes() == expected.read_bytes() for p in places)
    must(same, f"{entry.value} is the checkout's napari.yaml")


def check_command() -> None:
    """The command is there and explains itself."""
    command = Path(sys.executable).with_name("napari-gluer")
    done = subprocess.run([command, "--help"], capture_output=True, text=True, check=False)
    works = done.returncode == 0 and "napari-gluer" in done.stdout
    must(works, f"napari-gluer --help works\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    found = check_modules()
    check_manifest(Path(sys.argv[1]))
    check_command()
    print(f"{found}, the manifest and the command")
