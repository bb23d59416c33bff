"""Parameters by what differs from their defaults: as Python, and as flags of a command."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from napari_gluer.params import Params

_PRESET = "preset"
_NO_COLUMNS = 100


def changed(params: Params) -> dict[str, Any]:
    """What must be given for ``type(params)(**given)`` to be `params`; nested, with ``kind``."""
    preset = getattr(params, _PRESET, None)
    given = {} if preset is None else {_PRESET: preset}
    base = type(params)(**given)
    found = {**_difference(params, base)}
    if preset is not None and preset != type(params).model_fields[_PRESET].default:
        found = {_PRESET: preset, **found}
    if type(params)(**found) != params:  # a part that cannot be given alone
        return params.model_dump()
    return found


def as_python(params: Params, name: str) -> str:
    """``name(field=value, …)`` with the fields that differ."""
    given = ", ".join(f"{key}={value!r}" for key, value in changed(params).items())
    return f"{name}({given})"


def as_flags(params: Params, prefix: str = "") -> list[str]:
    """Flags of the command line with the fields that differ, as ``--a.b=value``."""
    return _flags(changed(params), prefix)


def command(*words: str) -> str:
    """A command line, quoted for a POSIX shell; long ones go on in further lines."""
    quoted = [shlex.quote(word) for word in words]
    if sum(len(word) + 1 for word in quoted) < _NO_COLUMNS:
        return " ".join(quoted)
    first = next((i for i, word in enumerate(quoted) if word.startswith("--")), len(quoted))
    return " \\\n    ".join([" ".join(quoted[:first]), *_pairs(quoted[first:])])


def _difference(value: Params, base: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in type(value).model_fields:
        now, then = getattr(value, name), getattr(base, name)
        if now == then:
            continue
        found[name] = _of_part(now, then) if isinstance(now, Params) else now
    return found


def _of_part(now: Params, then: Any) -> dict[str, Any]:
    kind = {"kind": now.kind} if hasattr(now, "kind") else {}  # tells the members of a choice apart
    if type(now) is type(then):
        return kind | _difference(now, then)
    return kind | now.model_dump()


def _flags(given: Mapping[str, Any], prefix: str) -> list[str]:
    words: list[str] = []
    for name, value in given.items():
        flag = f"{prefix}{name}".replace("_", "-")
        if isinstance(value, Mapping):
            words += _flags(value, f"{prefix}{name}.")
        elif isinstance(value, tuple | list):
            words += _listed(flag, value)
        elif value is not None:
            words.append(f"--{flag}={_text(value)}")
    return words


def _listed(flag: str, values: Sequence[Any]) -> list[str]:
    return [f"--{flag}={_text(value)}" for value in values]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pairs(words: list[str]) -> list[str]:
    """Flags with the values that follow them."""
    lines: list[str] = []
    for word in words:
        if word.startswith("--") or not lines or "=" in lines[-1].split(" ")[0]:
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return lines
