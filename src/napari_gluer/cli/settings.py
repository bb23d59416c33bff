"""Settings of a TOML file, laid under the flags of a command."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cyclopts import App, ArgumentCollection
from cyclopts.config import Dict

from napari_gluer.cli.kinds import drop_other_kinds, key_of, unions
from napari_gluer.errors import InputError


@dataclass
class FromFile:
    """Gives the settings of a TOML file to flags that are not given on the command line.

    Raises
    ------
    InputError
        If the file is no TOML, or names a setting that the command does not have.
    """

    path: Path
    values: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        try:
            self.values = tomllib.loads(self.path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{self.path} is not a TOML file: {error}.") from error

    def __call__(self, app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
        """Called by cyclopts once the flags are known."""
        leaves = dict(leaves_of(self.values))
        for name in leaves:
            self._require(name, " ".join(commands), arguments)
        for union in unions(arguments):
            drop_other_kinds(leaves, union)
        kept = {command: _nested(leaves) for command in commands[-1:]}
        Dict(data=kept, source=str(self.path))(app, commands[-1:], arguments)

    def _require(self, name: str, command: str, arguments: ArgumentCollection) -> None:
        known = [key_of(argument) for argument in arguments if argument.name.startswith("--")]
        if name in known:
            return
        near = get_close_matches(name, known, 1, 0.5)
        raise InputError(
            f"{self.path}: `{command}` has no setting {name!r}."
            + (f" Did you mean {near[0]!r}?" if near else "")
            + f" napari-gluer {command} --print-config shows all of them."
        )


def leaves_of(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and values; hyphens, as in flags, become underscores. Empty tables have none."""
    for key, value in table.items():
        name = f"{prefix}{key.replace('-', '_')}"
        if isinstance(value, dict):
            yield from leaves_of(value, f"{name}.")
        else:
            yield name, value


def _nested(leaves: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in leaves.items():
        *tables, key = name.split(".")
        table = nested
        for part in tables:
            table = table.setdefault(part, {})
        table[key] = value
    return nested
