"""The public names, one page a step of the work, from their docstrings."""

import inspect
import sys
from types import FunctionType
from typing import Any

import napari_gluer as ng
from _generate.pages import ROOT
from napari_gluer.params import Params

sys.path.insert(0, str(ROOT / "tools"))

from docs_params import table

HEAD = """# Python

`import napari_gluer as ng`: every public name, by the step of the work that it belongs to.
Importing the package loads nothing heavy; a name is loaded when it is first used. Functions leave
their arguments as they were. Tables are AnnData; [which keys](slots.md) they read and set is said
at each.

```python
import napari_gluer as ng

print(len(ng.__all__), "public names")
```
"""

GROUPS: dict[str, tuple[str, str]] = {
    "reading": ("Reading", "Images, masks, spots, tables of cells, references, regions."),
    "segmenting": ("Segmenting", "From an image, or from positions, to labels."),
    "measuring": ("Measuring", "From an image or spots, and labels, to a table of cells."),
    "cleaning": ("Cleaning", "Dropping what is no cell; comparable signals."),
    "integrating": (
        "Integrating",
        "Linking markers and genes; cells among reference cells; types.",
    ),
    "imputing": ("Imputing", "Values of genes that were never measured, and the other way round."),
    "painting": ("Painting", "Values of cells on the labels."),
    "analysing": ("Analysing", "Clusters, maps, markers, names, order, regions, chromatin."),
    "judging": ("Judging", "How far a result may be believed."),
    "figures": ("Figures", "Pictures for a paper."),
    "writing": ("Writing and exporting", "Tables, labels, imputed genes, maps, other programs."),
    "running": ("Running all steps", "One call from an image to painted genes."),
    "common": ("What all share", "Images, outlines, errors, progress, tiles, the sample."),
    "params": ("Parameters", "The classes that hold settings; every field with its bounds."),
}

_BY_NAME = {
    "judging": ("integration_accurac", "mixed_neighbours", "compare_accuracies"),
    "writing": ("write", "export", "save", "hand_over"),
    "imputing": ("impute",),
    "reading": ("read", "load", "open"),
}
_BY_HOME = {
    "judging": ("trust",),
    "figures": ("figures", "mixture_pictures"),
    "writing": ("exports",),
    "reading": ("io", "markers"),
    "segmenting": ("segmentation",),
    "cleaning": ("measurement.clean",),
    "measuring": ("measurement",),
    "integrating": ("integration", "mapping"),
    "painting": ("painting",),
    "analysing": ("analysis",),
    "running": ("pipeline",),
}


def group_of(name: str) -> str:
    """The page that the public `name` stands on."""
    if is_params(getattr(ng, name)):
        return "params"
    home = ng._HOMES[name].removeprefix("napari_gluer.")  # noqa: SLF001 - the package's own table of homes
    named = [group for group, starts in _BY_NAME.items() if name.startswith(starts)]
    at_home = [group for group, starts in _BY_HOME.items() if home.startswith(starts)]
    return [*named, *at_home, "common"][0]


def pages() -> dict[str, str]:
    """``api``, and ``api/GROUP`` for every group that has names."""
    names: dict[str, list[str]] = {group: [] for group in GROUPS}
    for name in ng.__all__:
        names[group_of(name)].append(name)
    found = {group: members for group, members in names.items() if members}
    made = {f"api/{group}": _page(group, members) for group, members in found.items()}
    lists = [_listed(group, members) for group, members in found.items()]
    tree = ["```{toctree}", ":hidden:", *made, "```", ""]
    return {"api": "\n".join([HEAD, *lists, *tree]), **made}


def is_params(found: Any) -> bool:
    """Whether `found` is a class of settings."""
    return isinstance(found, type) and issubclass(found, Params)


def _listed(group: str, names: list[str]) -> str:
    title, words = GROUPS[group]
    rows = [f"| {_link(name)} | {_summary(name)} |" for name in names]
    return "\n".join(
        [f"## [{title}](api/{group}.md)\n", f"{words}\n", "| | |", "|---|---|", *rows, ""]
    )


def _page(group: str, names: list[str]) -> str:
    title, words = GROUPS[group]
    return "\n".join([f"# {title}\n", f"{words}\n", *(_entry(name) for name in names)])


def _link(name: str) -> str:
    return f"{{py:obj}}`{name} <napari_gluer.{name}>`"


def _summary(name: str) -> str:
    """The first sentence of the docstring, for a cell of a table."""
    text = inspect.getdoc(getattr(ng, name)) or ""
    return text.split("\n\n")[0].replace("\n", " ").replace("|", "\\|").replace("``", "`")


def _entry(name: str) -> str:
    found = getattr(ng, name)
    lines = ["```{eval-rst}", f".. {_directive(found)}:: napari_gluer.{name}"]
    if is_params(found):
        lines += ["   :no-members:", "   :no-undoc-members:"]
    elif isinstance(found, type):
        lines += ["   :members:"]
    fields = "\n".join(table(found(), None)) + "\n" if is_params(found) and _plain(found) else ""
    return "\n".join([f"## `{name}`\n", *lines, "```", "", fields])


def _plain(found: type[Params]) -> bool:
    return not any(field.is_required() for field in found.model_fields.values())


def _directive(found: Any) -> str:
    if isinstance(found, type):
        return "autoexception" if issubclass(found, BaseException) else "autoclass"
    return "autofunction" if isinstance(found, FunctionType) else "autodata"


__all__ = ["GROUPS", "group_of", "is_params", "pages"]
