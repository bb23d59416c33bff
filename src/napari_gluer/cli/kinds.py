"""Choices between methods on the command line: which method settings belong to."""

from typing import Any, Literal, get_args, get_origin

from cyclopts import App, ArgumentCollection, Token
from cyclopts.argument import Argument

from napari_gluer.errors import InputError, listed
from napari_gluer.params import Params


def fill_kinds(_app: App, _commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Find the ``kind`` of a method from its settings, where only those are given.

    Raises
    ------
    InputError
        If they belong to no one method.
    """
    for union in unions(arguments):
        kind = _kind_of(union)
        given = {one.field_info.name: one for one in union.children if one.has_tokens}
        if kind.has_tokens or not given:
            continue
        fits = [
            name for name, model in members_of(union).items() if {*given} <= {*model.model_fields}
        ]
        if len(fits) != 1:
            flags = listed(one.name for one in given.values())
            raise InputError(
                f"{flags}: say of which method, with {kind.name} {' or '.join(fits)}."
                if fits
                else f"{flags} belong to different methods. {kind.name} takes "
                f"{listed(members_of(union))}."
            )
        kind.append(Token(keyword=kind.name, value=fits[0], source="found from its settings"))


def as_numbers(_app: App, _commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Turn words into numbers where a flag takes one of several: pydantic would not take "2"."""
    for argument in arguments:
        choices = get_args(argument.hint) if get_origin(argument.hint) is Literal else ()
        known = {str(choice): choice for choice in choices if not isinstance(choice, str)}
        argument.tokens = [
            token.evolve(implicit_value=known[token.value]) if token.value in known else token
            for token in argument.tokens
        ]


def members_of(argument: Argument) -> dict[str, type[Params]]:
    """Methods to choose from, by their kind; none where there is no choice."""
    given = [one for one in get_args(argument.hint) if isinstance(one, type)]
    models = [one for one in given if issubclass(one, Params)]
    if len(models) < 2 or len(models) < len(given):
        return {}
    return {str(one.model_fields["kind"].default): one for one in models}


def unions(arguments: ArgumentCollection) -> list[Argument]:
    """Arguments that choose between methods."""
    return [argument for argument in arguments if members_of(argument)]


def drop_other_kinds(leaves: dict[str, Any], union: Argument) -> None:
    """Drop a file's settings of a method where a flag chooses another."""
    kind, key = _kind_of(union), key_of(union)
    if not kind.has_tokens:
        return
    own = members_of(union).get(kind.tokens[0].value)
    if own is None or leaves.get(f"{key}.kind") == kind.tokens[0].value:
        return
    for name in [name for name in leaves if name.startswith(f"{key}.")]:
        if name.removeprefix(f"{key}.") not in own.model_fields:
            del leaves[name]


def key_of(argument: Argument) -> str:
    """Name of a flag in a file: ``--tiles.side`` is ``tiles.side``."""
    return argument.name.removeprefix("--").replace("-", "_")


def _kind_of(union: Argument) -> Argument:
    return next(one for one in union.children if one.field_info.name == "kind")
