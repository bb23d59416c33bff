"""The simulated tissue: image, masks, reference, and the truth kept apart."""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import ndimage

from napari_gluer import slots
from napari_gluer.image import MultiplexImage
from napari_gluer.sample.drawing import Exposure, Field, Microscope, Shapes, draw_shapes
from napari_gluer.sample.layout import arrange_cells
from napari_gluer.sample.panel import BLANK, NUCLEAR, PANEL
from napari_gluer.sample.profiles import load_profiles, protein_levels, split_profiles

PIXEL_SIZE_UM = 0.5
_THREADS = min(4, os.cpu_count() or 1)
_STAINING_SPREAD, _CELL_SPREAD, _NONSPECIFIC = 0.3, 0.15, 0.02


@dataclass(frozen=True, eq=False)
class SampleTissue:
    """A simulated tissue section, a single-cell reference, and the truth about every cell.

    Attributes
    ----------
    image
        uint16 ``(27, 2048, 2048)``, 0.5 µm pixels: ``DAPI``, 25 proteins and ``Blank``.
    labels
        True masks, int32 ``(2048, 2048)``: 0 background, cells from 1 without gaps.
    reference
        Profiles that the tissue does not use: log1p of 765 genes, ``obs["cell_type"]``.
    truth
        One row a cell of the tissue, in the order of `labels`: the true log1p transcriptome;
        ``obs`` ``label``, ``cell_type`` and ``profile`` (the real cell that it is drawn from,
        which keeps copies of a profile on one side of a fold); ``obsm["spatial"]`` x, y in µm.
    """

    image: MultiplexImage
    labels: NDArray[np.int32]
    reference: AnnData
    truth: AnnData


def sample_tissue(seed: int = 0) -> SampleTissue:
    """Make a SIMULATED lymphoid tissue from real single-cell profiles; nothing is downloaded.

    The transcriptomes are real: 700 blood cells (10x PBMC 68k) that scanpy ships. Three fifths of
    every type are the reference; the others become the tissue, several cells from each profile.
    Everything else is simulated. Cells lie in follicles, a T zone, a sinus and a medulla that are
    made up. A cell's protein is its profile's transcripts averaged with those of like profiles,
    with an antibody's brightness and log-normal noise. The image adds blur, spill-over between
    neighbours, autofluorescence, uneven background and illumination, shot and read noise.

    So it tests software and shows what it does. How well a method works on real tissue it cannot
    tell: here protein follows RNA more closely than in life, and reference and tissue come from
    one experiment.

    Parameters
    ----------
    seed
        The same seed gives the same bytes.

    Returns
    -------
    SampleTissue
        More than 2,000 cells of seven types.

    Raises
    ------
    InputError
        If the installed scanpy lacks the file with the profiles.
    """
    splitting, placing, drawing, staining = np.random.default_rng(seed).spawn(4)
    reference, pool = split_profiles(splitting, load_profiles())
    layout = arrange_cells(placing)
    shapes = draw_shapes(drawing, layout)
    profile = _draw_profiles(placing, pool, layout.types[shapes.kept])
    return SampleTissue(
        image=_stain(staining, shapes, protein_levels(pool)[profile]),
        labels=shapes.labels,
        reference=reference,
        truth=_truth(pool, profile, shapes),
    )


def _draw_profiles(
    rng: np.random.Generator, pool: AnnData, types: NDArray[np.str_]
) -> NDArray[np.intp]:
    """A profile of its type for every cell, each used about equally often."""
    drawn = np.zeros(len(types), np.intp)
    pool_types = pool.obs["cell_type"].to_numpy()
    for name in sorted(set(types)):
        members, cells = np.flatnonzero(pool_types == name), np.flatnonzero(types == name)
        drawn[cells] = rng.permutation(np.resize(members, len(cells)))
    return drawn


def _truth(pool: AnnData, profile: NDArray[np.intp], shapes: Shapes) -> AnnData:
    label = np.arange(1, len(profile) + 1)
    truth = AnnData(
        X=pool.X[profile],
        obs=pd.DataFrame(
            {
                slots.LABEL: label,
                "cell_type": pool.obs["cell_type"].array[profile],
                "profile": pd.Categorical(pool.obs_names.to_numpy()[profile]),
            },
            index=pd.Index(label.astype(str)),
        ),
        var=pool.var.copy(),
    )
    centroids = ndimage.center_of_mass(shapes.labels > 0, shapes.labels, label)
    truth.obsm[slots.SPATIAL] = np.asarray(centroids)[:, ::-1] * PIXEL_SIZE_UM
    slots.note(truth, **{slots.KIND: slots.LOG1P, slots.SPATIAL_UNIT: "um"})
    return truth


def _stain(
    rng: np.random.Generator, shapes: Shapes, proteins: NDArray[np.float64]
) -> MultiplexImage:
    """The image of cells that hold `proteins` ``(n_cells, n_markers)``."""
    microscope = Microscope(rng, shapes)
    names = [NUCLEAR, *(marker.name for marker in PANEL), BLANK]
    planes = np.empty((len(names), *shapes.labels.shape), np.uint16)

    def develop(plane: NDArray[np.uint16], exposure: Exposure, noise: Field) -> None:
        plane[:] = microscope.develop(exposure, noise)

    # chance is drawn here, in one order, whatever the threads do; noise waits for few of them
    running: deque[Future[None]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        for plane, exposure in zip(planes, _exposures(rng, proteins), strict=True):
            running.append(pool.submit(develop, plane, exposure, microscope.noise()))
            if len(running) > _THREADS:
                running.popleft().result()
        for developed in running:
            developed.result()
    return MultiplexImage(planes, names, PIXEL_SIZE_UM)


def _exposures(rng: np.random.Generator, proteins: NDArray[np.float64]) -> Iterator[Exposure]:
    """The nuclei, every marker of the panel, and the blank channel."""
    n_cells = len(proteins)
    uptake = rng.lognormal(0, _CELL_SPREAD, n_cells)  # of all antibodies by one cell
    yield Exposure(rng.lognormal(0, 0.25, n_cells), "nucleus", 2500, 40)
    for marker, level in zip(PANEL, proteins.T, strict=True):
        bound = (level + _NONSPECIFIC) * uptake * rng.lognormal(0, _STAINING_SPREAD, n_cells)
        brightness, haze = rng.lognormal(np.log(1500), 0.6), rng.lognormal(np.log(60), 0.5)
        yield Exposure(bound, marker.site, brightness, haze)
    yield Exposure(np.zeros(n_cells), "cytoplasm", 0, 60)
