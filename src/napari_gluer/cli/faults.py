"""What is wrong with the words of a command line, in one line."""

from collections.abc import Iterator, Sequence
from typing import Any

from cyclopts import App, ArgumentCollection, CycloptsError
from pydantic import ValidationError

from napari_gluer.errors import listed


def fault_of(
    error: CycloptsError, arguments: ArgumentCollection | None, words: Sequence[str], source: str
) -> str:
    """What is wrong, naming the flag, or the setting of the file `source` that it came from."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError) or arguments is None:
        return str(error).strip()
    names = {argument.name for argument in arguments}
    whole = error.argument.name if error.argument is not None else ""
    start = () if whole in {"", "*"} else (whole.removeprefix("--"),)
    faults = [(one, *_flag((*start, *one["loc"]), names)) for one in cause.errors()]
    return " ".join(_said(one, name, rest, words, source) for one, name, rest in faults)


def _said(one: Any, name: str, rest: list[str], words: Sequence[str], source: str) -> str:
    given = any(word == name or word.startswith(f"{name}=") for word in words)
    where = name if given or not source else f"{source}: {name.removeprefix('--')}"
    if one["type"] == "extra_forbidden":
        return f"{where} is no setting of {listed(rest)}."
    if one["type"] == "value_error":
        return f"{where}: {one['ctx']['error']}."
    said = str(one["msg"]).removeprefix("Input ")
    return f"{where} {said[0].lower()}{said[1:]}; found {one['input']!r}."


def _flag(place: Sequence[Any], names: set[str]) -> tuple[str, list[str]]:
    """The flag at a place that pydantic names, and the parts of the place that are none of it.

    Places hold the kind of a method between its parts, and numbers of elements.
    """
    found, rest = "--", []
    for part in (str(one).replace("_", "-") for one in place):
        longer = f"{found}{'' if found == '--' else '.'}{part}"
        if longer in names:
            found = longer
        else:
            rest.append(part)
    return found, rest


def arguments_of(app: App, words: Sequence[str]) -> ArgumentCollection | None:
    """What the command at the start of `words` takes, None where there is no such command."""
    name = next(iter(words), "")
    return app[name].assemble_argument_collection() if name in commands_of(app) else None


def commands_of(app: App) -> list[str]:
    """Names of the commands."""
    return list(_names(app))


def _names(app: App) -> Iterator[str]:
    yield from (name for name in app if not name.startswith("-"))
