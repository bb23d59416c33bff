"""How the simulated tissue is drawn: cells' shapes, and what a microscope makes of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_gluer.sample.layout import SIZE_PX, Layout
from napari_gluer.sample.panel import Site

Field = NDArray[np.float32]

LYMPHOID_RADIUS_PX, MYELOID_RADIUS_PX = 13.0, 15.5
BLUR_PX = 1.5
"""Standard deviation of the point spread, which spills signal into neighbours."""

READ_NOISE, OFFSET = 8.0, 100.0
_HALO_SHARE, _HALO_PX = 0.05, 24.0
_MYELOID = ("Monocyte", "Dendritic")
_LEAST_AREA_PX = 120
_COARSE = 4


@dataclass(frozen=True, eq=False)
class Shapes:
    """The drawn cells.

    Attributes
    ----------
    labels
        int32 ``(y, x)``: 0 background, ``i + 1`` the cell ``kept[i]``.
    kept
        Cells of the layout that can be seen, ``(n_cells,)``, ascending.
    sites
        Density of an antigen at each site, float32 ``(y, x)``.
    """

    labels: NDArray[np.int32]
    kept: NDArray[np.intp]
    sites: dict[Site, Field]


def draw_shapes(rng: np.random.Generator, layout: Layout) -> Shapes:
    """Draw every cell as a wavy disc, clipped where it meets another, with a nucleus inside."""
    labels = np.zeros((SIZE_PX, SIZE_PX), np.int32)
    nearest = np.ones(labels.shape, np.float32)
    in_nucleus = np.zeros(labels.shape, bool)
    myeloid = np.isin(layout.types, _MYELOID)
    radii = np.where(myeloid, MYELOID_RADIUS_PX, LYMPHOID_RADIUS_PX)
    radii = radii * rng.lognormal(0, 0.06, len(radii))
    for cell, (centre, radius) in enumerate(zip(layout.centres, radii, strict=True)):
        waviness = 0.09 if myeloid[cell] else 0.05
        window, reach, nucleus = _disc(rng, centre, radius, waviness)
        wins = reach < nearest[window]
        nearest[window][wins] = reach[wins]
        labels[window][wins] = cell + 1
        in_nucleus[window][wins] = nucleus[wins]
    labels, kept = _without_slivers(labels)
    return Shapes(labels, kept, _sites(labels, in_nucleus & (labels > 0)))


def _disc(
    rng: np.random.Generator, centre: NDArray[np.float64], radius: float, waviness: float
) -> tuple[tuple[slice, slice], Field, NDArray[np.bool_]]:
    """Window of a cell, distance from its centre (1 at its border), and its nucleus."""
    reach_px = int(1.6 * radius)
    low = np.maximum(centre.astype(int) - reach_px, 0)
    high = np.minimum(centre.astype(int) + reach_px + 1, SIZE_PX)
    x = np.arange(low[0], high[0]) - centre[0]
    y = (np.arange(low[1], high[1]) - centre[1])[:, None]
    angle = np.arctan2(y, x)
    border = np.full(angle.shape, radius)
    for k, phase in zip((2, 3, 4, 5), rng.uniform(0, 2 * np.pi, 4), strict=True):
        border += radius * rng.normal(0, waviness * 2 / k) * np.cos(k * angle + phase)
    shift, share = rng.normal(0, 0.07 * radius, 2), rng.uniform(0.58, 0.72)
    nucleus = np.hypot(x - shift[0], y - shift[1]) < share * (0.4 * radius + 0.6 * border)
    window = (slice(low[1], high[1]), slice(low[0], high[0]))
    return window, (np.hypot(x, y) / border).astype(np.float32), nucleus


def _without_slivers(labels: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Drop cells that others cover nearly whole, and number the rest from 1."""
    areas = np.bincount(labels.ravel())
    kept = np.flatnonzero(areas[1:] >= _LEAST_AREA_PX)
    numbers = np.zeros(len(areas), np.int32)
    numbers[kept + 1] = np.arange(1, len(kept) + 1)
    return numbers[labels], kept


def _sites(labels: NDArray[np.int32], nucleus: NDArray[np.bool_]) -> dict[Site, Field]:
    inside = labels > 0
    rim = np.zeros(labels.shape, bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    rim[:, 1:] |= across
    rim[:, :-1] |= across
    rim[1:] |= down
    rim[:-1] |= down
    return {
        "membrane": (inside * 0.35 + (rim & inside) * 1.3).astype(np.float32),
        "cytoplasm": (inside * 1.2 - nucleus * 0.8).astype(np.float32),
        "nucleus": (inside * 0.05 + nucleus * 1.5).astype(np.float32),
    }


@dataclass(frozen=True, eq=False)
class Exposure:
    """One channel to be taken.

    Attributes
    ----------
    levels
        What each cell holds, ``(n_cells,)``.
    site
        Where in the cell it lies.
    brightness
        Photons of a cell at level 1.
    haze
        Photons of the slide itself.
    """

    levels: NDArray[np.float64]
    site: Site
    brightness: float
    haze: float


class Microscope:
    """Turns what cells hold into camera counts.

    Illumination, uneven background and autofluorescence are of the slide: the same in every
    channel but for their strength.
    """

    def __init__(self, rng: np.random.Generator, shapes: Shapes) -> None:
        self._rng = rng
        self._shapes = shapes
        self.illumination = 1 + 0.07 * smooth_field(rng, 512)
        haze = np.exp(0.35 * smooth_field(rng, 340))
        own = rng.lognormal(0, 0.3, len(shapes.kept))
        glow = self._blurred(own, "cytoplasm")
        self.autofluorescence = (0.6 * haze + glow).astype(np.float32)

    def noise(self) -> Field:
        """Standard normal noise of one channel, ``(y, x)``: all that `develop` needs of chance."""
        return self._rng.standard_normal(self._shapes.labels.shape, np.float32)

    def develop(self, exposure: Exposure, noise: Field) -> NDArray[np.uint16]:
        """Camera counts ``(y, x)`` of one channel; `noise` is used up.

        It draws nothing at random, so that several can run at a time.
        """
        light = self._blurred(exposure.levels, exposure.site)
        light *= np.float32(exposure.brightness)
        light += np.float32(exposure.haze) * self.autofluorescence
        light *= self.illumination
        # Poisson counts of this size are normal to within a count, at a tenth of the time
        noise *= np.sqrt(light + np.float32(READ_NOISE**2))
        light += noise
        light += np.float32(OFFSET)
        np.rint(light, out=light)
        return np.clip(light, 0, 65535, out=light).astype(np.uint16)

    def _blurred(self, levels: NDArray[np.float64], site: Site) -> Field:
        table = np.concatenate([[0], levels]).astype(np.float32)
        sharp = np.take(table, self._shapes.labels)
        sharp *= self._shapes.sites[site]
        sharp *= 1 - _HALO_SHARE
        sharp += _halo(sharp)
        return np.asarray(ndimage.gaussian_filter(sharp, BLUR_PX, truncate=3.0), np.float32)


def _halo(light: Field) -> Field:
    """The share of the light that is scattered far; its coarse steps drown in the noise."""
    blocks = light.reshape(SIZE_PX // _COARSE, _COARSE, SIZE_PX // _COARSE, _COARSE)
    coarse = ndimage.gaussian_filter(blocks.mean(axis=(1, 3)), _HALO_PX / _COARSE)
    coarse *= _HALO_SHARE / (1 - _HALO_SHARE)
    return np.asarray(coarse.repeat(_COARSE, axis=0).repeat(_COARSE, axis=1), np.float32)


def smooth_field(rng: np.random.Generator, period_px: float) -> Field:
    """A smooth random field over the image, mean 0 and standard deviation 1."""
    side = SIZE_PX // _COARSE
    field = ndimage.gaussian_filter(
        rng.standard_normal((side, side), np.float32), period_px / _COARSE / 3, mode="wrap"
    )
    field = (field - field.mean()) / field.std()
    return np.asarray(ndimage.zoom(field, _COARSE, order=1, grid_mode=True, mode="nearest"))
