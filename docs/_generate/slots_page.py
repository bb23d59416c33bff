"""The names that the code gives to AnnData keys, below the tables of docs/slots.md."""

import ast

from _generate.pages import ROOT

HEAD = """
## Names in the code

`napari_gluer.slots` spells every key once. Made from that file.

| name | key |
|---|---|
"""


def constants() -> dict[str, str]:
    """The keys of ``slots.py`` by the names of their constants, in order."""
    tree = ast.parse((ROOT / "src/napari_gluer/slots.py").read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign):
            continue
        names, values = _parts(node.targets[0]), _parts(node.value)
        if len(names) != len(values):
            continue  # a tuple under one name: parts of keys, no key
        for name, value in zip(names, values, strict=True):
            if isinstance(name, ast.Name) and name.id.isupper() and isinstance(value, ast.Constant):
                found[name.id] = str(value.value)
    return found


def names() -> str:
    """The table, to be set below the page."""
    rows = [f"| `slots.{name}` | `{key}` |" for name, key in constants().items()]
    return HEAD + "\n".join(rows) + "\n"


def _parts(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]
