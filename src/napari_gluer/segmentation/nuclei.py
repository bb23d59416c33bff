"""From an image to labels: which channels show nuclei, and the method that finds them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed
from napari_gluer.image import MultiplexImage
from napari_gluer.markers import nuclear_family
from napari_gluer.params import Params
from napari_gluer.segmentation.watershed import Watershed, watershed_labels
from napari_gluer.track import Track, silently


class SegmentParams(Params):
    """How cells are found."""

    nuclear_channels: tuple[str, ...] = ()
    """Channels that show nuclei; they are added up. Empty: the best known name in the image
    (DAPI, Hoechst, DRAQ5, …, DNA1 and DNA2, histone H3)."""

    method: Watershed = Watershed()
    """The method and its settings."""


def segment(
    image: MultiplexImage, params: SegmentParams | None = None, *, track: Track = silently
) -> NDArray[np.int32]:
    """Find the cells of an image.

    Parameters
    ----------
    image
        ``(c, y, x)`` or ``(c, z, y, x)``; only its nuclear channels are read.
    params
        Channels and method; the defaults when None.
    track
        Reports the stages.

    Returns
    -------
    int32, ``(y, x)`` or ``(z, y, x)``: 0 is background, cells are 1…n without gaps.

    Raises
    ------
    InputError
        If no channel is known to show nuclei, or nothing is found.
    """
    params = params or SegmentParams()
    channels = params.nuclear_channels or guessed_nuclear(image.channels)
    nuclear = np.nan_to_num(image.summed(channels))
    return watershed_labels(nuclear, params.method, image.spacing_um, track=track)


def guessed_nuclear(channels: Sequence[str]) -> tuple[str, ...]:
    """The channels that show nuclei, by name: the first family known, two of it at most.

    Raises
    ------
    InputError
        If none is known; the message names the channels.
    """
    families = {name: nuclear_family(name) for name in channels}
    known = [family for family in families.values() if family is not None]
    if not known:
        raise InputError(
            f"No channel is known to show nuclei; the image has {listed(channels)}. "
            "Name one in nuclear_channels."
        )
    best = min(known)
    # An intercalator is read in two isotopes; of a stain repeated every cycle one is enough.
    limit = 2 if best == nuclear_family("DNA1") else 1
    return tuple([name for name, family in families.items() if family == best][:limit])
