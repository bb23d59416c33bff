"""A TIFF file as a multiplexed image."""

from pathlib import Path
from typing import Any

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.channels import Sizes, channel_names, numbered, pixel_size
from napari_gluer.io.choice import Choice, chosen_time
from napari_gluer.io.codex import names_near
from napari_gluer.io.damage import refusing
from napari_gluer.io.lazy import LazyPixels, StackedPixels
from napari_gluer.io.tiff import WOULD_DO, TiffLevel, open_tiff, other_series

_AXES_OF_KIND = {"R": "several positions", "H": "several lifetimes"}


class TiffImage:
    """The chosen series of a TIFF file, opened.

    Parameters
    ----------
    path
        The file.
    choice
        Which series and time point.
    channels
        Whether an axis that the file does not name holds channels; else it is z.
    """

    def __init__(self, path: Path, choice: Choice, *, channels: bool = True) -> None:
        self.path = path
        self._choice = choice
        self.file, self.number = open_tiff(path, choice)
        with refusing(path.name, WOULD_DO):
            self.series: Any = self.file.tif.series[self.number]
            self.stored, self.axes = _canonical_axes(path, self.series, channels=channels)
            self.size: Sizes = pixel_size(self.file.tif, self.series, self.axes)
            self._lengths = dict(zip(self.stored, self.series.shape, strict=True))
            self.names = channel_names(self.file.tif, self.series, self.length("C"))

    def length(self, axis: str) -> int:
        """Length of a stored axis, 1 where it is not stored."""
        return int(self._lengths.get(axis, 1))

    @property
    def planes(self) -> int:
        """Number of pictures (y, x)."""
        return self.length("T") * self.length("C") * self.length("Z")

    def relabel(self, letters: str, by: str) -> None:
        """Read axes in another sense: ``relabel("Z", "C")``."""
        aside = dict(zip("CZT", "pqr", strict=True))  # letters that no other axis gets
        replaced = {**{one: aside[one] for one in by}, **dict(zip(letters, by, strict=True))}
        self.stored = "".join(replaced.get(axis, axis) for axis in self.stored)
        self._lengths = dict(zip(self.stored, self.series.shape, strict=True))
        self.axes = "CZYX" if self.length("Z") > 1 else "CYX"
        self.size = self.size[-len(self.axes) + 1 :] if self.size else None

    def levels(self) -> list[LazyPixels]:
        """The chosen time point at full and falling resolution.

        Raises
        ------
        InputError
            If it is not clear which time point is meant.
        """
        time = chosen_time(self.path.name, self.length("T"), self._choice)
        return [self._level(i, time) for i in self._usable()]

    def cycles(self) -> list[StackedPixels]:
        """All time points as further channels, at full and falling resolution."""
        times = range(self.length("T"))
        return [StackedPixels([self._level(i, time) for time in times]) for i in self._usable()]

    def notes(self) -> tuple[str, ...]:
        """What is in the file beside the chosen series."""
        others = other_series(self.file, self.number) if self._choice.series is None else ""
        if not others:
            return ()
        return (f"{self.path.name} also holds {others}; the largest image was opened.",)

    def _usable(self) -> list[int]:
        """Numbers of the levels that differ from the first in z, y and x only."""
        flat = [i for i, axis in enumerate(self.stored) if axis not in "ZYX"]
        shapes = [tuple(level.shape) for level in self.series.levels]
        same = [len(shape) == len(shapes[0]) for shape in shapes]
        return [
            number
            for number, shape in enumerate(shapes)
            if same[number] and all(shape[i] == shapes[0][i] for i in flat)
        ]

    def _level(self, number: int, time: int) -> LazyPixels:
        with refusing(self.path.name, WOULD_DO):
            source = TiffLevel(self.file, self.number, number)
        return LazyPixels(source, self.stored, self.axes, {"T": time}, name=self.path.name)


def read_tiff(path: Path, choice: Choice) -> MultiplexImage:
    """Open the chosen image of a TIFF.

    A file without channel names takes those of a ``channelNames.txt`` (CODEX) beside it.
    """
    tiff = TiffImage(path, choice)
    near = None if any(tiff.names) or choice.time is not None else names_near(path)
    if near is None or tiff.planes == 1:
        levels: list[Any] = list(tiff.levels())
        names, notes = numbered(tiff.names, path.name)
    else:
        levels = _with_cycles(tiff, near[0].name, len(near[1]))
        names, notes = numbered(near[1], near[0].name)
    pyramid = levels if len(levels) > 1 else ()
    return MultiplexImage(levels[0], names, tiff.size, pyramid, (*notes, *tiff.notes()))


def _with_cycles(tiff: TiffImage, source: str, count: int) -> list[StackedPixels]:
    """Levels whose channels are all channels of all cycles; there must be `count`."""
    cycles, channels, planes = (tiff.length(axis) for axis in "TCZ")
    if cycles * channels != count:
        if cycles == 1 and channels * planes == count:
            tiff.relabel(*(("CZ", "TC") if channels > 1 else ("Z", "C")))
        else:
            raise InputError(
                f"{source} names {count} channels, and {tiff.path.name} has {cycles} cycles × "
                f"{channels} channels = {cycles * channels}"
                + (f" (of {planes} planes in z)." if planes > 1 else ".")
                + " Correct the list, or move it away to open the image without names."
            )
    return tiff.cycles()


def _canonical_axes(path: Path, series: Any, *, channels: bool) -> tuple[str, str]:
    """Axes as stored, with C, Z, T, Y, X in place of unknown letters, and as shown."""
    lengths = dict(enumerate(series.shape))
    stored = list(series.axes)
    if stored[-2:] != ["Y", "X"] and not {"Y", "X"} <= set(stored):
        stored[-2:] = ["Y", "X"]
    for letter in "CZ" if channels else "ZC":
        unnamed = [i for i, axis in enumerate(stored) if axis in "QIS" and lengths[i] > 1]
        if unnamed and letter not in stored:
            stored[unnamed[0]] = letter
    extra = [i for i, axis in enumerate(stored) if axis not in "CZTYX" and lengths[i] > 1]
    if extra:
        what = _AXES_OF_KIND.get(stored[extra[0]], "more axes than channels, z, y and x")
        raise InputError(
            f"{path.name} holds {what}: axes {series.axes}, shape {series.shape}. Save one image "
            "(c, y, x) or (c, z, y, x)."
        )
    deep = "Z" in stored and lengths[stored.index("Z")] > 1
    return "".join(_numbered(stored)), "CZYX" if deep else "CYX"


def _numbered(stored: list[str]) -> list[str]:
    """Length-1 axes may repeat a letter; each needs its own to be told apart."""
    return [
        chr(ord("a") + i) if axis not in "CZTYX" or axis in stored[:i] else axis
        for i, axis in enumerate(stored)
    ]
