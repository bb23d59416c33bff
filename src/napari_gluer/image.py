"""A multiplexed image: lazy pixels, channel names and pixel size."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed


@dataclass(frozen=True, eq=False)
class MultiplexImage:
    """A multiplexed image, ``(c, y, x)`` or ``(c, z, y, x)``.

    Parameters
    ----------
    data
        The pixels: a NumPy array, or anything that is sliced like one (zarr, dask).
    channels
        One unique name a channel, in the order of the first axis.
    pixel_size_um
        Size of a pixel in µm: one number, or one for each spatial axis in axis order.
        None where it is not known.
    pyramid
        The same image at full and falling resolution, where the file holds one.
    notes
        What the reader had to assume, in plain sentences.
    """

    data: Any
    channels: Sequence[str]
    pixel_size_um: float | tuple[float, ...] | None = None
    pyramid: Sequence[Any] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = tuple(self.data.shape)
        if len(shape) not in (3, 4):
            raise InputError(
                f"A multiplexed image is (c, y, x) or (c, z, y, x); this one has shape {shape}."
            )
        if len(self.channels) != shape[0]:
            raise InputError(f"{len(self.channels)} channel names for {shape[0]} channels.")
        repeated = {name for name in self.channels if list(self.channels).count(name) > 1}
        if repeated:
            raise InputError(f"Channel names must be unique; repeated: {listed(sorted(repeated))}.")
        object.__setattr__(self, "channels", tuple(self.channels))
        if self.pixel_size_um is not None:
            sizes = np.ravel(self.pixel_size_um)
            usable = np.isfinite(sizes).all() and (sizes > 0).all()
            if len(sizes) not in (1, len(shape) - 1) or not usable:
                raise InputError(
                    f"A pixel size is one positive number or {len(shape) - 1}, one for each axis; "
                    f"this one is {self.pixel_size_um}."
                )

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """``(y, x)`` or ``(z, y, x)``."""
        return tuple(self.data.shape[1:])

    @property
    def spacing_um(self) -> tuple[float, ...] | None:
        """Pixel size of every spatial axis in µm, None where unknown."""
        if self.pixel_size_um is None:
            return None
        sizes = np.broadcast_to(self.pixel_size_um, len(self.spatial_shape))
        return tuple(float(size) for size in sizes)

    def index(self, channel: str) -> int:
        """Position of `channel`; exact name first, then without regard to case."""
        if channel in self.channels:
            return list(self.channels).index(channel)
        folded = [name.casefold() for name in self.channels]
        if folded.count(channel.casefold()) == 1:
            return folded.index(channel.casefold())
        raise InputError(
            f"Channel {channel!r} is not in this image; it has {listed(self.channels)}."
        )

    def channel(self, channel: str) -> NDArray[Any]:
        """The pixels of one channel, read into memory."""
        return np.asarray(self.data[self.index(channel)])

    def summed(self, channels: Iterable[str]) -> NDArray[np.float32]:
        """The sum of `channels`, float32."""
        return sum(
            (self.channel(name).astype(np.float32) for name in channels),
            start=np.zeros(self.spatial_shape, np.float32),
        )
