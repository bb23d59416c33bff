"""Which image of a file that holds several, and which time point."""

from collections.abc import Sequence
from dataclasses import dataclass

from napari_gluer.errors import InputError, listed

_SMALLER = 0.9  # a reduced copy has at most this share of the sides
_SAME_RATIO = 0.03


@dataclass(frozen=True)
class Choice:
    """What the caller chose; None: not chosen.

    Parameters
    ----------
    series
        Number (from 0) or name of the image.
    time
        Number of the time point, from 0.
    """

    series: int | str | None = None
    time: int | None = None


@dataclass(frozen=True)
class Series:
    """One image of a file, before it is opened.

    Parameters
    ----------
    name
        As in the file, "" where it has none.
    axes, shape
        As stored.
    colours
        Whether it is an RGB picture.
    """

    name: str
    axes: str
    shape: tuple[int, ...]
    colours: bool = False

    @property
    def sides(self) -> tuple[int, int]:
        """Length of y and x."""
        lengths = dict(zip(self.axes, self.shape, strict=True))
        return lengths.get("Y", self.shape[-2]), lengths.get("X", self.shape[-1])

    @property
    def planes(self) -> int:
        """Number of pictures (y, x)."""
        product = 1
        for length in self.shape:
            product *= length
        return product // max(1, self.sides[0] * self.sides[1])


def chosen(file: str, series: Sequence[Series], choice: Choice) -> int:
    """The number of the series to open.

    Without a choice the largest that is not RGB is taken, if the others are RGB, reduced copies of
    it, or have fewer planes.

    Raises
    ------
    InputError
        If the choice is not there, or none was made and the file holds several images alike.
    """
    if choice.series is not None:
        return _asked(file, series, choice.series)
    measured = [i for i, one in enumerate(series) if not one.colours and len(one.shape) >= 2]
    if not measured:
        raise InputError(
            f"{file} is an RGB picture ({described(series)}): its colours are for the eye, not "
            "measured channels. series=0 opens them as channels all the same."
            if series
            else f"{file} holds no image."
        )
    best = max(measured, key=lambda i: (_pixels(series[i]), -i))
    rivals = [i for i in measured if i != best and _rivals(series[best], series[i])]
    if rivals:
        raise InputError(
            f"{file} holds {1 + len(rivals)} images: {described(series)}. Choose one by its number "
            "or name, series=0 for instance, or save it in a file of its own."
        )
    return best


def described(series: Sequence[Series]) -> str:
    """The series of a file as a readable list: number, name, axes and shape."""
    return listed(
        f"{i}{f' {one.name!r}' if one.name else ''} {one.axes} {one.shape}"
        for i, one in enumerate(series)
    )


def chosen_time(file: str, count: int, choice: Choice) -> int:
    """The time point to read, of `count`.

    Raises
    ------
    InputError
        If there are several and none was chosen, or the chosen one is not there.
    """
    if choice.time is None and count > 1:
        raise InputError(
            f"{file} is a time series of {count} time points. Choose one, time=0 to "
            f"time={count - 1}."
        )
    time = choice.time or 0
    if not 0 <= time < max(1, count):
        raise InputError(f"{file} has no time point {time}; it has {count}, from 0.")
    return time


def _asked(file: str, series: Sequence[Series], wanted: int | str) -> int:
    names = [one.name for one in series]
    if isinstance(wanted, str) and wanted in names and names.count(wanted) == 1:
        return names.index(wanted)
    number = int(wanted) if str(wanted).isdecimal() else -1
    if 0 <= number < len(series):
        return number
    raise InputError(f"{file} has no series {wanted!r}; it has {described(series)}.")


def _pixels(one: Series) -> int:
    return one.planes * one.sides[0] * one.sides[1]


def _rivals(best: Series, other: Series) -> bool:
    """Whether `other` could as well be meant: as many planes, and no reduced copy of `best`."""
    if other.planes < best.planes:
        return False
    height, width = (small / large for small, large in zip(other.sides, best.sides, strict=True))
    reduced = max(height, width) < _SMALLER and abs(height - width) < _SAME_RATIO * width
    return not reduced
