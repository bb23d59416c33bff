"""Every block of code in the docs runs as it stands, or says why it does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _generate.code import Block, blocks, commands
from anndata import AnnData

import napari_gluer as ng
from napari_gluer.cli import main
from napari_gluer.sample import SampleTissue

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
RUN = [page for page in PAGES if any(not block.reason for block in blocks(page))]


@pytest.fixture
def small(tissue: SampleTissue, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The simulated tissue is made once; whatever draws on it gets that one."""
    monkeypatch.setattr(ng, "sample_tissue", lambda **_: tissue, raising=False)
    yield
    import matplotlib.pyplot as plt  # noqa: PLC0415 - only here are figures left open

    plt.close("all")


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")  # umap's
@pytest.mark.usefixtures("small")
def test_code_of_the_page_runs(
    page: Path,
    tissue: SampleTissue,
    integrated: AnnData,
    prepared: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert page.stem in prepared, (
        f"{page.name} has code: say in PREPARED (conftest.py) what it takes for granted, or "
        "write above a block <!-- not run: reason -->"
    )
    monkeypatch.chdir(tmp_path)
    names = prepared[page.stem](tissue, integrated.copy())
    for block in blocks(page):
        if block.reason:
            continue
        if block.language == "python":
            _run_python(page, block, names)
        else:
            _run_commands(page, block)


def _run_python(page: Path, block: Block, names: dict[str, Any]) -> None:
    code = "\n" * (block.line - 1) + block.code  # so that a traceback shows the line of the page
    exec(compile(code, str(page), "exec"), names)  # noqa: S102 - our own text


def _run_commands(page: Path, block: Block) -> None:
    for words in commands(block):
        assert words[0] == "napari-gluer", f"{page.name}: {words[0]} is not run; give a reason"
        if words[1:] != ["--version"]:
            assert main(words[1:]) == 0, f"{page.name}, line {block.line}: {' '.join(words)}"


def test_no_page_is_prepared_for_nothing(prepared: dict[str, Any]) -> None:
    assert set(prepared) <= {page.stem for page in RUN}


def test_reasons_say_something() -> None:
    reasons = {block.reason for page in PAGES for block in blocks(page) if block.reason}
    assert reasons
    assert all(len(reason.split()) >= 3 for reason in reasons)


def test_blocks_are_told_from_those_that_are_not_run(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# T\n\n```python\na = 1\n```\n\n<!-- not run: no such file -->\n```bash\nx\n```\n"
        "```text\nno code\n```\n```bash\nnapari-gluer run a \\\n  --out b  # comment\n```\n"
    )
    first, second, third = blocks(page)
    assert (first.language, first.code, first.reason, first.line) == ("python", "a = 1\n", "", 4)
    assert (second.language, second.reason) == ("bash", "no such file")
    assert commands(third) == [["napari-gluer", "run", "a", "--out", "b"]]
    page.write_text(page.read_text() + "<!-- commands not run: they take hours -->\n")
    reasons = [block.reason for block in blocks(page)]
    assert reasons == ["", "no such file", "they take hours"]
