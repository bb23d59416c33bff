"""The site: every page, every public name, every command and every key is on it."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from _generate import api, commands, examples, layers, pages, slots_page
from _generate.__main__ import stage
from _generate.docstrings import linked, plain
from _generate.equations import mathml
from anndata import AnnData
from docutils.utils.math import MathError

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer.cli import app
from napari_gluer.cli.examples import EXAMPLES

ROOT = Path(__file__).resolve().parents[2]
SLOTS = (ROOT / "docs" / "slots.md").read_text(encoding="utf-8")
WRITTEN = {name: path.read_text(encoding="utf-8") for name, path in pages.sources().items()}
INDEX = pages.relinked(WRITTEN["index"])


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of the site, staged once."""
    target = tmp_path_factory.mktemp("site") / "source"
    stage(target)
    return target


@pytest.fixture(scope="module")
def staged(source: Path) -> dict[str, str]:
    """The pages of the site by name."""
    return {
        path.relative_to(source).as_posix(): path.read_text(encoding="utf-8")
        for path in source.rglob("*.md")
    }


def test_every_page_is_on_the_site_and_in_one_section(staged: dict[str, str]) -> None:
    assert {f"{name}.md" for name in WRITTEN} <= set(staged)
    listed = [page for section in pages.sections(INDEX) for page in section.pages]
    assert len(listed) == len(set(listed))
    assert set(listed) == (set(WRITTEN) | {"api", "commands", "examples"}) - {"index"}


def test_every_section_is_a_page_with_its_tree(staged: dict[str, str]) -> None:
    for section in pages.sections(INDEX):
        assert f"\n{section.slug}\n" in staged["index.md"]
        text = staged[f"{section.slug}.md"]
        assert text.startswith(f"# {section.title}\n")
        tree = text[text.index("```{toctree}") :]
        assert [line for line in tree.splitlines() if line in section.pages] == [*section.pages]


def test_every_public_name_has_its_entry(staged: dict[str, str]) -> None:
    text = "".join(page for name, page in staged.items() if name.startswith("api/"))
    entries = re.findall(
        r"^\.\. auto(?:function|class|exception|data):: napari_gluer\.(\w+)$", text, re.MULTILINE
    )
    assert sorted(entries) == sorted(ng.__all__)
    for name in ng.__all__:
        assert f"{{py:obj}}`{name} <napari_gluer.{name}>`" in staged["api.md"]


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("read_image", "reading"),
        ("segment", "segmenting"),
        ("measure", "measuring"),
        ("assign_spots", "measuring"),
        ("clean", "cleaning"),
        ("integrate", "integrating"),
        ("impute", "imputing"),
        ("impute_onto_reference", "imputing"),
        ("paint", "painting"),
        ("marker_genes", "analysing"),
        ("integration_accuracy", "judging"),
        ("validate_genes", "judging"),
        ("violin_figure", "figures"),
        ("save_figure", "writing"),
        ("write_cells", "writing"),
        ("export_imputed", "writing"),
        ("run", "running"),
        ("InputError", "common"),
        ("CleanParams", "params"),
        ("Umap", "params"),
    ],
)
def test_names_stand_at_their_step(name: str, group: str) -> None:
    assert api.group_of(name) == group


def test_public_names_are_documented() -> None:
    assert [name for name in ng.__all__ if not (getattr(ng, name).__doc__ or "").strip()] == []


@pytest.fixture(scope="session")
def made() -> dict[str, str]:
    """The pages of the commands."""
    return commands.pages()


def test_every_command_has_a_page_with_its_flags(made: dict[str, str]) -> None:
    names = {name for name in app if not name.startswith("-")}
    assert {name.removeprefix("commands/") for name in made} - {"commands"} == names
    for name in names:
        text = made[f"commands/{name}"]
        usage = text.split("```text\n")[1].splitlines()[0]
        assert re.fullmatch(rf"napari-gluer {name}( (--|\[|[A-Z]).*)?", usage)
        flags = {
            flag
            for argument in app[name].assemble_argument_collection()
            if argument.show
            for flag in argument.names[:1]
        }
        assert {flag for flag in flags if flag not in text} == set()
        assert "``" not in text.replace("```", "")
        assert all(call in text.replace(" \\\n    ", " ") for call in EXAMPLES[name])


def test_flags_stand_in_the_sections_of_the_help_with_their_values(made: dict[str, str]) -> None:
    text = made["commands/integrate"]
    below = text.partition("## Mutual nearest neighbours")[2].partition("\n## ")[0]
    default, paper = (ng.IntegrateParams(preset=preset).anchors for preset in ("default", "paper"))
    assert (
        f"| `--anchors.max-partners INT` | {default.max_partners}; paper: {paper.max_partners} | "
    ) in below
    assert "| **CELLS**, `--cells` | **needed** | " in text
    assert "[multiplicative" in text.replace("\\", "")


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_rows_of_flags_have_three_cells(made: dict[str, str], name: str) -> None:
    rows = [line for line in made[f"commands/{name}"].splitlines() if line[:1] == "|"]
    assert rows
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}


def test_every_key_of_the_code_is_explained() -> None:
    found = {name: key for name, key in slots_page.constants().items() if name.isupper()}
    assert found["EMBEDDING"] == slots.EMBEDDING
    assert found["NUCLEUS"] == slots.NUCLEUS
    assert found["BLANK"] == slots.BLANK
    unexplained = {key for key in found.values() if not re.search(rf"[`\"]{key}[`\"]", SLOTS)}
    assert unexplained == set()


def test_every_key_that_a_run_sets_is_explained(integrated: AnnData) -> None:
    ours = set(integrated.obs) | set(integrated.obsm) | set(integrated.layers)
    ours |= set(integrated.var) | set(slots.info(integrated))
    generic = {"cell_type_transferred": "<column>_transferred"}
    generic["cell_type_probability"] = "<column>_probability"
    wanted = {generic.get(key, key) for key in ours}
    assert {key for key in wanted if not re.search(rf"[`\"]{key}[`\"]", SLOTS)} == set()


def test_examples_stand_as_they_are() -> None:
    text = examples.pages()["examples"]
    for path in (ROOT / "examples").glob("*.py"):
        assert path.read_text(encoding="utf-8").split('"""', 2)[2].strip() in text


@pytest.mark.parametrize(
    ("text", "above", "wanted"),
    [
        ("[a](b.md#c)", False, "[a](b.md#c)"),
        ("[a](../README.md)", False, "[a](index.md)"),
        ("[a](../examples/many_sections.py)", False, "[a](examples.md#many-sections)"),
        ("[a](../CONTRIBUTING.md#x)", False, "[a](contributing.md#x)"),
        ("[a](docs/limits.md#b)", True, "[a](limits.md#b)"),
        ("![a](docs/images/b.svg)", True, "![a](images/b.svg)"),
        ("[a](CHANGELOG.md)", True, "[a](changelog.md)"),
        ("[a](https://b.org/docs/c.md)", True, "[a](https://b.org/docs/c.md)"),
        ("```text\n[a](../README.md)\n```\n", False, "```text\n[a](../README.md)\n```\n"),
    ],
)
def test_links_of_the_repository_become_links_of_the_site(
    text: str, above: bool, wanted: str
) -> None:
    assert pages.relinked(text, above=above) == wanted


def test_docstrings_link_public_names_and_no_others() -> None:
    assert linked("as `measure` does") == "as :py:obj:`measure <napari_gluer.measure>` does"
    assert linked("``ng.clean``, `cells`") == ":py:obj:`ng.clean <napari_gluer.clean>`, `cells`"
    assert linked("`measure` itself", own="measure") == "`measure` itself"
    assert linked("``measured``") == "``measured``"


def test_the_picture_shows_the_contract_from_above() -> None:
    root = ET.fromstring(layers.PICTURE.read_text(encoding="utf-8"))  # noqa: S314 - our own file
    assert layers.PICTURE.read_text(encoding="utf-8") == layers.svg(), "run: make docs"
    texts = list(root.iter("{http://www.w3.org/2000/svg}text"))
    shown = [
        (float(node.get("y", "0")), name)
        for node in texts
        if "monospace" in node.get("font-family", "")
        for name in (node.text or "").split()
    ]
    wanted = [name for layer in layers.contract() for name in layer]
    assert [name for _, name in sorted(shown, key=lambda pair: pair[0])] == wanted
    right = [layers.SIDE + 2 * layers.PAD + 8.5 * len(node.text or "") for node in texts]
    assert max(right) < layers.WIDTH - 3 * layers.PAD  # 8.5: a wide letter at 14 pixels


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_equations_can_be_drawn(name: str) -> None:
    text = re.sub(r"^```.*?^```|`[^`\n]+`", "", WRITTEN[name], flags=re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"\$\$(.+?)\$\$", text, re.DOTALL)
    inline = re.findall(r"(?<![\$\\])\$([^\s$](?:[^$]*[^\s$])?)\$(?!\d)", text.replace("$$", ""))
    assert blocks or name != "method"
    for equation in blocks + (inline if blocks else []):
        assert mathml(equation, block=True).startswith("<math")


@pytest.mark.parametrize("equation", [r"\nosuchcommand{x}", r"\tfrac12 x", "x^12", "x_10"])
def test_equations_that_would_come_out_wrong_are_errors(equation: str) -> None:
    with pytest.raises(MathError):
        mathml(equation, block=False)


def test_an_equation_keeps_its_parts() -> None:
    root = ET.fromstring(mathml(r"\tfrac{1}{2} H_i G^\top", block=True))  # noqa: S314 - our own
    fraction = next(node for node in root.iter() if node.tag.endswith("mfrac"))
    assert [child.text for child in fraction] == ["1", "2"]
    assert "".join(root.itertext()).split() == ["1", "2", "H", "i", "G", "⊤"]


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_addresses_are_well_formed(name: str) -> None:
    for address in re.findall(r"\]\((https?:[^)\s]*)\)", WRITTEN[name]):
        parts = urlsplit(address)
        assert parts.scheme == "https", address
        assert re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc), address


def test_pages_that_did_not_change_are_left_alone(source: Path) -> None:
    (source / "old.md").write_text("# gone\n")
    before = {path: path.stat().st_mtime_ns for path in source.rglob("*.md")}
    stage(source)
    after = {path: path.stat().st_mtime_ns for path in source.rglob("*.md")}
    assert set(before) - set(after) == {source / "old.md"}
    assert all(before[path] == changed for path, changed in after.items())


def test_the_site_builds_without_warnings(source: Path, tmp_path: Path) -> None:
    pytest.importorskip("pydata_sphinx_theme")
    words = ["-m", "sphinx", "-c", ROOT / "docs", "-b", "html", "-W", "--keep-going", "-n", "-q"]
    built = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, *words, source, tmp_path / "site"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert built.returncode == 0, built.stderr
    for name in ("index", "tutorial_codex", "api/integrating", "commands/run", "slots"):
        assert (tmp_path / "site" / f"{name}.html").is_file()
    assert "<math" in (tmp_path / "site" / "method.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (
            "(x: ndarray[tuple[Any, ...], dtype[floating]] | None = None)",
            "(x: NDArray[floating] | None = None)",
        ),
        ("~typing.Annotated[int, ~annotated_types.Ge(ge=0), Le(le=1000)]", "int"),
        (
            "(reading: ~napari_gluer.ImageParams = <factory>)",
            "(reading: ~napari_gluer.ImageParams = ...)",
        ),
        (
            "~numpy.ndarray[tuple[~typing.Any, ...], ~numpy.dtype[~numpy.integer]]",
            "NDArray[~numpy.integer]",
        ),
        ("Mapping[str, ndarray[tuple[Any, ...], dtype[Any]]]", "Mapping[str, NDArray[Any]]"),
        ("(cells: AnnData, *, seed: int = 0)", "(cells: AnnData, *, seed: int = 0)"),
    ],
)
def test_signatures_are_written_for_readers(written: str, shown: str) -> None:
    assert plain(written) == shown
