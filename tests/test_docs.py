"""What README and docs say exists and runs: code, commands, links, names, parameters."""

import re
import runpy
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pytest
import tifffile

import napari_gluer as ng
from napari_gluer.cli import app
from napari_gluer.sample import SampleTissue

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
README = PAGES[0].read_text(encoding="utf-8")
CORNER = slice(700, 1200)

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", without_code(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_links_and_images_exist(page: Path) -> None:
    text = without_code(page.read_text(encoding="utf-8"))
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8"))):
            lost.append(link)
    assert not lost


@every_page
def test_public_names_exist(page: Path) -> None:
    named = set(re.findall(r"\bng\.([A-Za-z]\w*)", page.read_text(encoding="utf-8")))
    assert named <= set(ng.__all__)


@every_page
def test_make_targets_exist(page: Path) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"`make (\w+)`", page.read_text(encoding="utf-8"))) <= set(targets)


@every_page
def test_commands_parse(page: Path) -> None:
    written = "".join(blocks(page.read_text(encoding="utf-8"), "bash")).replace("\\\n", " ")
    for line in written.splitlines():
        words = shlex.split(line, comments=True) if line.startswith("napari-gluer ") else []
        if {"--config", "--print-config"} & set(words):
            continue  # what is required may be in the file; tests/test_cli_settings.py runs it
        if words:
            app.parse_args(words[1:], exit_on_error=False, print_error=False)


def test_parameters_are_up_to_date() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "docs_params.py"))["page"]()
    found = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8")
    assert found == made, "run: python tools/docs_params.py"


def test_the_script_of_the_readme_runs(
    tissue: SampleTissue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (script,) = blocks(README, "python")
    assert len(script.splitlines()) <= 12
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite(
        "tissue.ome.tif",
        tissue.image.data[:, CORNER, CORNER],
        metadata={"axes": "CYX", "Channel": {"Name": list(tissue.image.channels)}},
    )
    tissue.reference.write_h5ad("atlas.h5ad")
    names: dict[str, object] = {}
    exec(compile(script, "README.md", "exec"), names)  # noqa: S102 - our own text
    cells = ng.read_cells("cells.h5ad")
    assert cells.n_obs > 100
    assert np.isfinite(np.asarray(names["picture"])).any()
    assert np.shape(names["values"]) == (cells.n_obs,)


def test_the_architecture_names_modules_of_the_contract() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    modules = {
        name.strip().removeprefix("napari_gluer.")
        for line in contract["contracts"][0]["layers"]
        for name in line.split("|")
    }
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert len(rows) == len(contract["contracts"][0]["layers"])
    assert set(named) <= modules
