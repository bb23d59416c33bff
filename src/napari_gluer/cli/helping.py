"""Help in sections that follow the steps; long lists of flags folded to one line a step."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Any

from cyclopts import ArgumentCollection
from cyclopts.help import DefaultFormatter, HelpEntry, HelpPanel
from cyclopts.help.inline_text import InlineText
from rich.console import Console, ConsoleOptions
from rich.text import Text

from napari_gluer.cli.examples import EXAMPLES, in_lines
from napari_gluer.cli.kinds import members_of
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.params import Params

_DEEPEST = {"run": 1, "integrate": 0}
"""Dots in the longest names that the help of a command shows one by one; elsewhere all are."""
_SELDOM = {"run": ("--measure", "--spots", "--assign", "--discs")}
"""Of these the help of a command shows nothing one by one."""
_OF_PRESETS = {"run": "integrate.", "integrate": ""}
"""Commands with a preset, and how the names of its settings begin there."""
_LAST = ("--tiles", "folded")
_EMPTY = {"()", '""', "[]", "None"}

COMMANDS = {
    "All steps at once": ("run", "demo"),
    "From an image or spots to cells": ("segment", "measure", "assign-spots", "mark", "clean"),
    "From cells and a reference to genes": (
        "subsample", "gene-activity", "integrate", "cluster", "transfer", "impute", "paint",
        "export", "reverse", "coembed", "select",
    ),
    "How far to believe it": ("validate", "explain", "reproduce"),
    "The next figure": ("markers", "name-clusters", "trajectory", "compare-regions", "peak-links"),
    "To other programs": ("hand-over",),
}  # fmt: skip
EPILOGUE = """\
With every command: --config FILE takes settings from a TOML file (flags win over it), \
--print-config writes all settings as such a file and does nothing else, --help-all shows every \
flag of a long list.

Exit status: 0 done · 1 a fault of the program · 2 an input or a flag that cannot be used · \
3 `reproduce`: the result did not come out again · 4 `run`: some of several images failed · \
130 interrupted."""


@dataclass(kw_only=True)
class Sections:
    """Shows the help of one command, or the list of all.

    Attributes
    ----------
    arguments
        What the command takes; None for the list of commands.
    command
        Its name.
    everything
        Fold nothing.
    """

    arguments: ArgumentCollection | None
    command: str = ""
    everything: bool = False

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Called by cyclopts for its one panel."""
        show = DefaultFormatter()
        parts = _commands(panel) if panel.format == "command" else self._flags(panel)
        for part in parts:
            show(console, options, part)
        calls = EXAMPLES.get(self.command, ()) if self.arguments and panel.entries else ()
        if calls:
            text = "\n".join(in_lines(call, console.width - 2) for call in calls)
            console.print("\nExample:" if len(calls) == 1 else "\nExamples:")
            console.print(indent(text, "  "), markup=False, highlight=False, soft_wrap=True)

    def render_usage(self, console: Console, options: ConsoleOptions, usage: Any) -> None:
        """What stands without a flag comes first: a flag that takes several words would eat it."""
        known = self.arguments
        mine = usage if known is None else Text(f"Usage: {usage_of(self.command, known)}\n")
        DefaultFormatter().render_usage(console, options, mine)

    def render_description(self, console: Console, options: ConsoleOptions, text: Any) -> None:
        """As cyclopts does."""
        DefaultFormatter().render_description(console, options, text)

    def _flags(self, panel: HelpPanel) -> Iterable[HelpPanel]:
        """One part for plain flags, one for each group of dotted ones, one for what is folded."""
        entries = [self._marked(entry) for entry in panel.entries]
        rows: dict[str, list[HelpEntry]] = {}
        for entry in entries:
            rows.setdefault(self._row(_name(entry)), []).append(entry)
        sections: dict[str, list[HelpEntry]] = {}
        for name, group in rows.items():
            head, dot, _ = name.partition(".")
            if _name(group[0]) == name:
                sections.setdefault(head if dot else "", []).append(group[0])
            else:
                row = self._one(name, len(group))
                sections.setdefault(head if dot else "folded", []).append(row)
        for head in sorted(sections, key=lambda head: (head != "", head in _LAST)):
            yield panel.copy(title=self._title(head), entries=sections[head])

    def _row(self, name: str) -> str:
        """The name of the row that shows the flag `name`."""
        seldom = name.startswith(_SELDOM.get(self.command, ()))
        depth = 9 if self.everything else 0 if seldom else _DEEPEST.get(self.command, 9)
        return ".".join(name.split(".")[: depth + 1])

    def _title(self, head: str) -> str:
        if head in {"", "folded"}:
            return "More settings" if head else "Files and settings"
        said = re.split(r"[.;]", self._help(head))[0]
        return said or head.removeprefix("--")

    def _one(self, name: str, number: int) -> HelpEntry:
        many = "1 setting" if number == 1 else f"{number} settings"
        text = f"{self._help(name)} {many}, shown by --help-all.".strip()
        return HelpEntry(positive_names=(f"{name}.…",), description=InlineText(Text(text)))

    def _marked(self, entry: HelpEntry) -> HelpEntry:
        """The entry, saying which methods it belongs to where there are several."""
        parent, _, field = _name(entry).rpartition(".")
        union = next((one for one in self.arguments or () if one.name == parent), None)
        members = {} if union is None else members_of(union)
        owners = [
            kind for kind, model in members.items() if field.replace("-", "_") in model.model_fields
        ]
        text = Text(self._help(parent)) if field == "kind" and union else _text(entry.description)
        if 0 < len(owners) < len(members):
            text = Text.assemble((f"[{', '.join(owners)}] ", "cyclopts.choices"), text)
        default = None if entry.default in _EMPTY else entry.default
        if field == "kind" and union is not None and union.show_default:
            default = str(getattr(union.field_info.default, "kind", None) or "") or None
        if self.command in _OF_PRESETS and default is None:
            default = _of_presets(_name(entry).removeprefix("--" + _OF_PRESETS[self.command]))
        return entry.copy(description=InlineText(text), default=default)

    def _help(self, name: str) -> str:
        found = next((one for one in self.arguments or () if one.name == name), None)
        return str(found.parameter.help or "").strip() if found is not None else ""


def _of_presets(name: str) -> str | None:
    """What the presets set: ``60; paper: 500``, or one value where they agree."""
    found = [
        _value_of(params, name.replace("-", "_").split("."))
        for params in (IntegrateParams(), IntegrateParams(preset="paper"))
    ]
    own, published = found
    if own is None or name == "preset":
        return own
    return own if published in {own, None} else f"{own}; paper: {published}"


def _value_of(params: object, names: Sequence[str]) -> str | None:
    """The value at the end of the fields `names`; None where the method has no such field."""
    value: Any = params
    for name in names:
        value = value.kind if name == "kind" else getattr(value, name, None)
    return None if value in (None, "", ()) or isinstance(value, Params) else str(value)


def usage_of(command: str, arguments: ArgumentCollection) -> str:
    """A command with what it needs: ``napari-gluer run SOURCE... --out PATH [OPTIONS]``."""
    words = ["napari-gluer", command]
    for one in arguments:
        if one.index is None:
            continue
        several = "..." if one.token_count()[1] else ""
        word = f"{one.name.removeprefix('--').replace('-', '_').upper()}{several}"
        words.append(word if one.required else f"[{word}]")
    needed = [one for one in arguments if one.required and one.index is None]
    return " ".join([*words, *(f"{one.name} PATH" for one in needed), "[OPTIONS]"])


def _commands(panel: HelpPanel) -> Iterable[HelpPanel]:
    known = {name: title for title, names in COMMANDS.items() for name in names}
    order = [name for names in COMMANDS.values() for name in names]
    titles = [*COMMANDS, "Else"]
    for title in titles:
        chosen = [one for one in panel.entries if known.get(_name(one), "Else") == title]
        chosen.sort(key=lambda one: order.index(_name(one)) if _name(one) in order else 0)
        if chosen:
            yield panel.copy(title=title, entries=chosen)


def _name(entry: HelpEntry) -> str:
    """Its first name, with its dots: ``--segment.method.kind``."""
    return next((name for name in entry.positive_names if name.startswith("--")), "") or next(
        iter(entry.all_options), ""
    )


def _text(description: Any) -> Text:
    """A description in one paragraph: docstrings break their lines for editors."""
    inner = getattr(description, "primary_renderable", description)
    said = getattr(inner, "markup", None) or getattr(inner, "plain", None) or str(inner or "")
    return Text(re.sub(r"`+", "", " ".join(said.split())))
