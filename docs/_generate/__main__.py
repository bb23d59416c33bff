"""Stage the sources of the site: ``PYTHONPATH=docs python -m _generate build/docs-source``."""

import shutil
import sys
from pathlib import Path

from _generate import api, commands, examples, layers, pages, slots_page

GENERATED = {
    "api": api.pages,
    "commands": commands.pages,
    "examples": examples.pages,
}


def stage(target: Path) -> list[str]:
    """Write every page of the site below `target`; give their names.

    Pages that are as they were are not touched, so that a second build only reads what changed.
    """
    made = {f"{name}.md": text for name, text in _texts().items()}
    for name, text in made.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in target.rglob("*.md"):
        if path.relative_to(target).as_posix() not in made:
            path.unlink()
    shutil.copytree(pages.DOCS / "images", target / "images", dirs_exist_ok=True)
    shutil.copy(pages.ROOT / "LICENSE", target / "LICENSE")
    shutil.copy(pages.ROOT / "CITATION.cff", target / "CITATION.cff")
    return sorted(made)


def _texts() -> dict[str, str]:
    texts = {
        name: pages.relinked(path.read_text(encoding="utf-8"), above=path.parent == pages.ROOT)
        for name, path in pages.sources().items()
    }
    texts["slots"] += slots_page.names()
    for make in GENERATED.values():
        texts |= make()
    found = pages.sections(texts["index"])
    texts["index"] += pages.tree([section.slug for section in found])
    for section in found:
        texts[section.slug] = f"# {section.title}\n\n{section.text}\n{pages.tree(section.pages)}"
    return texts


if __name__ == "__main__":
    layers.write()
    print(f"{len(stage(Path(sys.argv[1])))} pages staged in {sys.argv[1]}")
