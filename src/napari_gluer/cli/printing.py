"""The settings of a call as a TOML file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import BoundArguments
from pathlib import Path
from typing import Any

from cyclopts import App, ArgumentCollection, Token

import napari_gluer as ng
from napari_gluer.cli.settings import leaves_of
from napari_gluer.params import Params

_HOW_ONLY = {"dry_run"}
"""Flags that say how a command is called, not what comes of it."""


@dataclass
class Unset:
    """Stands in for what is required and not given, so that settings can be shown without it."""

    names: set[str] = field(default_factory=set)

    def __call__(
        self, _app: App, _commands: tuple[str, ...], arguments: ArgumentCollection
    ) -> None:
        """Called by cyclopts once flags and file are known."""
        for argument in arguments:
            if argument.required and not argument.keys and not argument.has_tokens:
                self.names.add(argument.field_info.name)
                argument.append(Token(keyword=argument.name, value="0", source="not given"))


def as_toml(
    name: str, bound: BoundArguments, arguments: ArgumentCollection, unset: set[str]
) -> str:
    """All settings of a call as TOML, which `FromFile` reads again to the same parameters.

    What a preset sets is written as a comment, so that another preset can be chosen in the file.
    """
    bound.apply_defaults()
    flat = {one.field_info.name for one in arguments if one.name == "*"}
    values: dict[str, Any] = {}
    preset: set[str] = set()
    for key, value in bound.arguments.items():
        if key in _HOW_ONLY:
            continue
        preset |= {f"{'' if key in flat else f'{key}.'}{one}" for one in _of_preset(value)}
        if key in flat:
            values |= value.model_dump(mode="json")
        else:
            values[key] = None if key in unset else _plain(value)
    head = [
        f"# Settings of `napari-gluer {name}` (version {ng.__version__}), for --config.",
        "# Flags win over it. Lines that begin with # are not set; where they hold a value, the",
        "# preset sets it. Paths are taken from the folder of the call.",
    ]
    return "\n".join([*head, *_lines(values, "", preset, unset)]) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Params):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _of_preset(value: Any) -> set[str]:
    """Dotted names of the parameters that are as the preset lays them."""
    if isinstance(value, ng.PipelineParams):
        base = ng.PipelineParams(integrate=ng.IntegrateParams(preset=value.integrate.preset))
        found = {f"integrate.{one}" for one in _of_preset(value.integrate)}
        if value.clean == base.clean:
            found |= {f"clean.{name}" for name, _ in leaves_of(value.clean.model_dump())}
        return found
    if not isinstance(value, ng.IntegrateParams):
        return set()
    laid = dict(leaves_of(ng.IntegrateParams(preset=value.preset).model_dump(mode="json")))
    own = dict(leaves_of(value.model_dump(mode="json")))
    same = {name for name, one in own.items() if name in laid and laid[name] == one}
    # the settings of a method go with its kind
    other = {name.removesuffix("kind") for name in own if name.endswith(".kind")} - {
        name.removesuffix("kind") for name in same
    }
    return {name for name in same - {"preset"} if not any(name.startswith(one) for one in other)}


def _lines(table: Mapping[str, Any], prefix: str, preset: set[str], unset: set[str]) -> list[str]:
    """A table of TOML, its values before its tables."""
    lines = []
    for key, value in table.items():
        if isinstance(value, dict):
            continue
        if value is None:
            lines.append(f"# {key} ={' (required)' if not prefix and key in unset else ''}")
        else:
            hidden = f"{prefix}{key}" in preset
            lines.append(f"{'# ' if hidden else ''}{key} = {toml_value(value)}")
    for key, value in table.items():
        if isinstance(value, dict):
            lines += ["", f"[{prefix}{key}]"]
            lines += _lines(value, f"{prefix}{key}.", preset, unset)
    return lines


def toml_value(value: Any) -> str:
    """A value of TOML: text, number, truth, or a list of such."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):  # JSON's escapes are TOML's; TOML escapes delete too
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(one) for one in value)}]"
    return repr(value)
