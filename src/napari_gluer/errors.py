"""The one kind of error that is the input's fault, not the program's."""

from collections.abc import Iterable


class InputError(ValueError):
    """The input cannot be used.

    The message is written for the person: it names the thing, what was found and what would do.
    The command line prints it without a traceback, napari shows it as a notification.
    """


def listed(names: Iterable[object], limit: int = 12) -> str:
    """`names` as a readable list, cut after `limit`: ``DAPI, CD3, CD8 … (41 in all)``."""
    known = [str(name) for name in names]
    if not known:
        return "none"
    text = ", ".join(known[:limit])
    return text if len(known) <= limit else f"{text} … ({len(known)} in all)"
