"""The commands, one page each, from the application itself."""

import re

from napari_gluer.cli import app

HEAD = """# Commands

Made from the program itself: `napari-gluer COMMAND --help` says the same. What commands share (exit
status, progress, settings in a file) is in [the command line](cli.md).

| command | |
|---|---|
"""


def pages() -> dict[str, str]:
    """``commands``, and ``commands/NAME`` for every command."""
    found = _of_commands()
    rows = [f"| [`{name}`](commands/{name}.md) | {_first(text)} |" for name, text in found.items()]
    tree = ["", "```{toctree}", ":hidden:", *(f"commands/{name}" for name in found), "```", ""]
    made = {f"commands/{name}": f"# `{name}`\n\n{text}" for name, text in found.items()}
    return {"commands": HEAD + "\n".join(rows) + "\n" + "\n".join(tree), **made}


def _of_commands() -> dict[str, str]:
    """What the application says of every command, by name."""
    text = app.generate_docs("markdown", usage_name=app.name[0])
    parts = re.split(rf"^## {app.name[0]} ([\w-]+)$", text, flags=re.MULTILINE)[1:]
    named = dict(zip(parts[::2], parts[1::2], strict=True))
    return {name: _readable(name, named[name]) for name in sorted(named)}


def _readable(name: str, text: str) -> str:
    """`text` with the quotes of Markdown in place of those of docstrings."""
    single = re.sub(r"(?<!`)``(?!`)", "`", text)
    # between the name and its arguments cyclopts puts how this process was started
    usage = rf"^({app.name[0]} {name}) .*?(?=--|\[|[A-Z])"
    single = re.sub(usage, r"\1 ", single, count=1, flags=re.MULTILINE)
    return single.replace("```console", "```text").strip() + "\n"


def _first(text: str) -> str:
    """The sentence that says what a command does."""
    after = text.split("```", 2)[2].strip()
    return after.split("\n\n", 1)[0].replace("\n", " ")
