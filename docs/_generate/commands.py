"""The commands, one page each, from the application itself."""

import inspect
import io
import re
from collections.abc import Iterable
from typing import Any

from cyclopts.help import HelpEntry, HelpPanel
from rich.console import Console

from napari_gluer.cli import app
from napari_gluer.cli.examples import EXAMPLES, in_lines
from napari_gluer.cli.faults import arguments_of
from napari_gluer.cli.helping import COMMANDS, Sections, usage_of

HEAD = """# Commands

Made from the program itself: `napari-gluer COMMAND --help-all` says the same. What
commands share (exit status, progress, settings in a file) is in [the command line](cli.md).
"""
BAR = r"\|"  # within a cell of a table
WIDTH = 96  # letters of a line of code that fit the page


def pages() -> dict[str, str]:
    """``commands``, and ``commands/NAME`` for every command."""
    lists = [_listed(title, names) for title, names in COMMANDS.items()]
    names = [name for group in COMMANDS.values() for name in group]
    tree = ["", "```{toctree}", ":hidden:", *(f"commands/{name}" for name in names), "```", ""]
    return {
        "commands": "\n".join([HEAD, *lists, *tree]),
        **{f"commands/{name}": _page(name) for name in names},
    }


def _listed(title: str, names: Iterable[str]) -> str:
    rows = [f"| [`{name}`](commands/{name}.md) | {_about(name)[0]} |" for name in names]
    return "\n".join([f"## {title}\n", "| command | |", "|---|---|", *rows, ""])


def _page(name: str) -> str:
    """What a command does, a call of it, and its flags in sections."""
    calls = "\n".join(in_lines(call, WIDTH) for call in EXAMPLES[name])
    parts = [
        f"# `{name}`",
        *_about(name),
        f"```text\n{usage_of(name, _arguments(name))}\n```",
        f"For example:\n\n```text\n{calls}\n```",
        *(_section(panel) for panel in _panels(name)),
        "Exit status, `--config` and `--print-config`: [the command line](../cli.md).",
    ]
    return "\n\n".join(parts) + "\n"


def _about(name: str) -> list[str]:
    """The paragraphs of the docstring before its parameters."""
    said = inspect.getdoc(app[name].default_command) or ""
    before = re.split(r"^Parameters\n-+$", said, flags=re.MULTILINE)[0]
    return [" ".join(part.split()).replace("``", "`") for part in before.strip().split("\n\n")]


def _arguments(name: str) -> Any:
    return arguments_of(app, [name])


class _Kept(Sections):
    """Keeps the sections that the help of a command shows, and shows nothing."""

    def __call__(self, _console: Any, _options: Any, panel: HelpPanel) -> None:
        """Called by cyclopts for each of its panels."""
        self.panels = [*getattr(self, "panels", []), *self._flags(panel)]


def _panels(name: str) -> list[HelpPanel]:
    kept = _Kept(arguments=_arguments(name), command=name, everything=True)
    before, app.help_formatter = app.help_formatter, kept
    try:
        app.help_print([name], console=Console(file=io.StringIO()))
    finally:
        app.help_formatter = before
    return [panel for panel in kept.panels if panel.entries]


def _section(panel: HelpPanel) -> str:
    rows = [_row(entry) for entry in panel.entries]
    return "\n".join(
        [f"## {panel.title}\n", "| flag | default | meaning |", "|---|---|---|", *rows]
    )


def _row(entry: HelpEntry) -> str:
    kind = f" {entry.metavar}" if entry.metavar and not entry.positional_label else ""
    label = [f"**{entry.positional_label}**"] if entry.positional_label else []
    flags = [f"`{one}{kind}`" for one in (*entry.positive_names, *entry.negative_names)]
    default = "**needed**" if entry.required else str(entry.default or "")
    choices = f" One of {', '.join(f'`{one}`' for one in entry.choices)}." if entry.choices else ""
    meaning = f"{_plain(entry.description)}{choices}"
    cells = (", ".join([*label, *flags]), default, meaning)
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


def _plain(text: Any) -> str:
    inner = getattr(text, "primary_renderable", text)
    # what Markdown would take for marks: 'masks/*_cells.tif', [watershed], X_umap
    return re.sub(r"([*_\[\]<>])", r"\\\1", str(getattr(inner, "plain", None) or inner))
