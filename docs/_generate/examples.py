"""The scripts of examples/ as one page."""

import ast

from _generate.pages import ROOT

HEAD = """# Examples

Scripts that run as they stand, on the simulated tissue. The tests run every one of them.
"""


def pages() -> dict[str, str]:
    """``examples``: a section for each script, its first sentence and its code."""
    parts = [HEAD]
    for path in sorted((ROOT / "examples").glob("*.py")):
        code = path.read_text(encoding="utf-8")
        docstring = ast.get_docstring(ast.parse(code)) or ""
        parts.append(f"## {path.stem.replace('_', ' ')}\n\n{docstring}\n\n`{path.name}`\n")
        body = code.split('"""', 2)[2].lstrip()
        parts.append(f"```python\n{body}```\n")
    return {"examples": "\n".join(parts)}
