"""The package as it is installed: its manifest, its versions, its pins, and the set-up scripts."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from npe2 import PluginManifest

import napari_gluer

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SCRIPTS = [ROOT / ".ci" / "run", *(p for p in (ROOT / "tools").iterdir() if not p.suffix)]

in_the_checkout = pytest.mark.skipif(
    not (ROOT / ".github").is_dir(), reason="the source distribution has no workflows"
)


def canonical(requirement: str) -> str:
    """Name of a requirement as indexes spell it: ``napari[pyqt6]>=0.6`` is ``napari``."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    held = [line for line in lines if not line.startswith("#")]
    return {canonical(line): line for line in held}


def test_the_installed_manifest_is_the_one_at_the_top() -> None:
    (entry,) = importlib.metadata.entry_points(group="napari.manifest", name="napari-gluer")
    folder, _, file = entry.value.partition(":")
    found = find_spec(folder)
    assert found is not None
    installed = Path(next(iter(found.submodule_search_locations or []))) / file
    assert installed.read_text() == (ROOT / "napari.yaml").read_text(), "run make setup"


def test_npe2_finds_a_valid_manifest() -> None:
    manifest = PluginManifest.from_distribution("napari-gluer")
    assert manifest.name == "napari-gluer"
    assert manifest.package_version == napari_gluer.__version__
    manifest.validate_imports()


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["version"] == napari_gluer.__version__
    assert importlib.metadata.version("napari-gluer") == napari_gluer.__version__
    assert f"version: {napari_gluer.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_pins_hold_names_and_versions_only() -> None:
    wrong = [p for p in pins().values() if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9a-z.]+", p)]
    assert wrong == []
    assert pins()["torch"] == "torch==2.13.0"


def test_every_dependency_is_pinned() -> None:
    named = [*PROJECT["dependencies"]]
    named += [r for extra in ("all", "dev") for r in PROJECT["optional-dependencies"][extra]]
    assert {canonical(requirement) for requirement in named} - set(pins()) == set()


def test_every_package_that_is_imported_is_declared() -> None:
    extras = PROJECT["optional-dependencies"].items()
    declared = {canonical(one) for one in PROJECT["dependencies"]}
    declared |= {canonical(r) for extra, rs in extras if extra not in {"dev", "docs"} for r in rs}
    homes = {**importlib.metadata.packages_distributions(), "instanseg": ["instanseg-torch"]}
    known = {*sys.stdlib_module_names, "napari_gluer"}
    lacking = {
        module
        for file in Path(napari_gluer.__file__).parent.rglob("*.py")
        for module in imported(file) - known
        if not declared & {canonical(home) for home in homes.get(module, [module])}
    }
    assert lacking == set()


def imported(file: Path) -> set[str]:
    """Top-level modules that a file imports anywhere."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).partition(".")[0])
    return found


@in_the_checkout
def test_pythons_are_the_same_in_classifiers_and_workflow() -> None:
    told = {c.rpartition(" ")[2] for c in PROJECT["classifiers"] if "Python :: 3." in c}
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    matrix = jobs["systems"]["strategy"]["matrix"]
    assert set(matrix["python"]) == told
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}


@in_the_checkout
def test_workflows_run_scripts_that_are_there() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    scripts = set(re.findall(r"(?:tools|\.ci)/[a-z_]+", text))
    assert {"tools/test_lowest", "tools/check_sdist", ".ci/run"} <= scripts
    assert all((ROOT / script).is_file() for script in scripts)


def test_metadata_is_what_napari_and_indexes_look_for() -> None:
    known = importlib.metadata.metadata("napari-gluer")
    assert known["License-Expression"] == "BSD-3-Clause"
    assert "Framework :: napari" in (known.get_all("Classifier") or [])
    assert not [c for c in PROJECT["classifiers"] if c.startswith("License ::")]  # PEP 639


def test_no_qt_binding_is_forced_on_a_user_who_has_one() -> None:
    assert not {canonical(r) for r in PROJECT["dependencies"]} & {"napari", "pyqt6", "pyside6"}
    assert any(r.startswith("napari[pyqt6]") for r in PROJECT["optional-dependencies"]["all"])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_executable_and_parse(script: Path) -> None:
    assert os.access(script, os.X_OK)
    bash = shutil.which("bash")
    assert bash is not None
    subprocess.run([bash, "-n", script], check=True)  # noqa: S603 - our own scripts


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Xvfb is of Linux")
def test_with_display_gives_a_display_and_hands_the_exit_status_on() -> None:
    code = "import os, sys; sys.exit(7 if os.environ.get('DISPLAY') else 1)"
    command = [ROOT / "tools" / "with_display", sys.executable, "-c", code]
    bare = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    assert subprocess.run(command, check=False, env=bare).returncode == 7  # noqa: S603
