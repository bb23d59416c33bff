"""Pages of the repository as pages of the site: their links, and the order of the sections."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

ELSEWHERE = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Pages that lie above docs/, by the names that the site gives them."""

REPOSITORY_NAMES = {
    "README.md": "index.md",
    "examples": "examples.md",
    "src/napari_gluer/__init__.py": "api.md",
    "src/napari_gluer/cli": "commands.md",
    **ELSEWHERE,
}
"""What a link out of docs/ leads to on the site; on GitHub it leads to the file itself."""

_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_ENTRY = re.compile(r"^- \[[^\]]+\]\(([\w./-]+)\.md\)", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """A heading of index.md with its list of pages.

    Attributes
    ----------
    title, slug
        The heading, and the name of its page.
    text
        What stands under the heading.
    pages
        Names of the pages in the list, in order.
    """

    title: str
    slug: str
    text: str
    pages: tuple[str, ...]


def sources() -> dict[str, Path]:
    """Every page that people wrote, by its name on the site (without ``.md``)."""
    found = {path.stem: path for path in sorted(DOCS.glob("*.md"))}
    return found | {name[:-3]: ROOT / path for path, name in ELSEWHERE.items()}


def relinked(text: str, *, above: bool = False) -> str:
    """`text` with the links of the repository turned into links of the site.

    Parameters
    ----------
    text
        Markdown.
    above
        Whether the page lies at the root of the repository, not in docs/.
    """
    blocks = re.split(r"(^```.*?^```)", text, flags=re.MULTILINE | re.DOTALL)
    plain = (_LINK.sub(lambda link: _relinked(link, above=above), one) for one in blocks[::2])
    code = iter([*blocks[1::2], ""])
    return "".join(part + next(code) for part in plain)


def _relinked(link: re.Match[str], *, above: bool) -> str:
    target, hash_, anchor = link[2].partition("#")
    if target.startswith("../"):
        target = target[3:]
    elif above and target.startswith("docs/"):
        return f"{link[1]}{target[5:]}{hash_}{anchor}{link[3]}"
    elif not above:
        return link[0]
    if target.startswith("examples/"):
        stem = Path(target).stem.replace("_", "-")
        return f"{link[1]}examples.md#{stem}{link[3]}"
    return f"{link[1]}{REPOSITORY_NAMES.get(target, target)}{hash_}{anchor}{link[3]}"


def sections(index: str) -> list[Section]:
    """The sections of index.md, each with at least one page."""
    return list(_sections(index))


def _sections(index: str) -> Iterator[Section]:
    for part in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        if pages := tuple(_ENTRY.findall(text)):
            slug = "section-" + re.sub(r"\W+", "-", title.lower()).strip("-")
            yield Section(title, slug, text.strip(), pages)


def tree(pages: tuple[str, ...] | list[str], *, shown: bool = False) -> str:
    """A toctree of `pages`; hidden unless `shown`."""
    options = ":maxdepth: 1" if shown else ":hidden:"
    return "\n".join(["", "```{toctree}", options, *pages, "```", ""])
