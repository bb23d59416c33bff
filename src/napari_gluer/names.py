"""Names that must be unique: channels of an image, genes of a reference."""

from collections.abc import Iterable


def unique_names(names: Iterable[str]) -> list[str]:
    """`names` in order, later equals numbered past names that are taken: ``DAPI``, ``DAPI-1``."""
    given = list(names)
    taken, seen = set(given), set[str]()
    unique = []
    for name in given:
        new, number = name, 0
        while new in seen or (number and new in taken):
            number += 1
            new = f"{name}-{number}"
        seen.add(new)
        unique.append(new)
    return unique
