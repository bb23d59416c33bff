"""Real single-cell profiles for the simulated tissue: their types, their split, their proteins."""

import importlib.util
import warnings
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.sample.panel import PANEL, Marker

REFERENCE_SHARE = 0.6
PROTEIN_NEIGHBOURS = 12
"""Profiles, the profile itself included, over which a protein level is averaged."""

OWN_SHARE = 0.4
"""Weight of a profile's own transcripts in its protein level."""

_FILE = "datasets/10x_pbmc68k_reduced.h5ad"
_COMPONENTS = 30

TYPE_OF = {
    "CD19+ B": "B",
    "CD4+/CD25 T Reg": "CD4 T",
    "CD4+/CD45RO+ Memory": "CD4 T",
    "CD4+/CD45RA+/CD25- Naive T": "CD4 T",
    "CD8+ Cytotoxic T": "CD8 T",
    "CD8+/CD45RA+ Naive Cytotoxic": "CD8 T",
    "CD56+ NK": "NK",
    "CD14+ Monocyte": "Monocyte",
    "Dendritic": "Dendritic",
    "CD34+": "Progenitor",
}
"""The file's labels, T-cell subtypes merged: a linear classifier, cross-validated over the
profiles, finds CD4 and CD8 T cells (82 of 95, 75 of 97) but not memory and naive CD4 T cells."""


def load_profiles() -> AnnData:
    """The 700 PBMC profiles that scanpy ships: log1p of 765 genes, ``obs["cell_type"]``.

    Raises
    ------
    InputError
        If the installed scanpy does not hold the file.
    """
    raw, names, labels = _read()
    types = pd.Categorical([TYPE_OF[label] for label in labels], sorted(set(TYPE_OF.values())))
    profiles = AnnData(
        X=sparse.csr_matrix(raw.X, dtype=np.float32),
        obs=pd.DataFrame({"cell_type": types, "subtype": pd.Categorical(labels)}, index=names),
        var=pd.DataFrame(index=pd.Index(raw.var_names.astype(str))),
    )
    slots.note(profiles, **{slots.KIND: slots.LOG1P})
    return profiles


def _read() -> tuple[AnnData, pd.Index, list[str]]:
    spec = importlib.util.find_spec("scanpy")
    folders = list(spec.submodule_search_locations or []) if spec else []
    path = next((Path(f) / _FILE for f in folders if (Path(f) / _FILE).is_file()), None)
    if path is None:
        raise InputError(f"The sample is made from scanpy's {_FILE}; this scanpy does not have it.")
    with warnings.catch_warnings():
        # the file is in AnnData's first layout; anndata says so in several ways and converts it
        warnings.simplefilter("ignore")
        stored = anndata.read_h5ad(path)
    names = pd.Index(stored.obs_names.astype(str))
    return stored.raw, names, [str(label) for label in stored.obs["bulk_labels"]]


def split_profiles(rng: np.random.Generator, profiles: AnnData) -> tuple[AnnData, AnnData]:
    """Split into reference and tissue profiles, each subtype in the same proportion.

    Returns
    -------
    reference, tissue
        Disjoint; `REFERENCE_SHARE` of every subtype, rounded, is reference.
    """
    is_reference = np.zeros(profiles.n_obs, bool)
    subtypes = profiles.obs["subtype"].to_numpy()
    for subtype in sorted(set(subtypes)):
        members = rng.permutation(np.flatnonzero(subtypes == subtype))
        is_reference[members[: round(REFERENCE_SHARE * len(members))]] = True
    reference = profiles[is_reference].copy()
    del reference.obs["subtype"]
    return reference, profiles[~is_reference].copy()


def protein_levels(profiles: AnnData) -> NDArray[np.float64]:
    """Protein level of every profile for every marker of `PANEL`.

    mRNA is short-lived and drops out, protein is not: a level is part the profile's own
    transcripts and part their mean over the nearest profiles in the whole transcriptome.
    Only `profiles` are used, so nothing of the reference enters the tissue's image.

    Returns
    -------
    numpy.ndarray
        ``(n_profiles, n_markers)``, not negative; 1 is the 95th percentile of a marker.
    """
    logged = np.asarray(profiles.X.toarray(), np.float64)
    near = _nearest(logged)
    levels = np.column_stack([_transcripts(profiles, logged, marker) for marker in PANEL])
    levels = OWN_SHARE * levels + (1 - OWN_SHARE) * levels[near].mean(axis=1)
    high = np.quantile(levels, 0.95, axis=0)
    return np.asarray(levels / np.where(high > 0, high, 1.0))


def _nearest(logged: NDArray[np.float64]) -> NDArray[np.intp]:
    centred = logged - logged.mean(axis=0)
    scores, scale, _ = np.linalg.svd(centred, full_matrices=False)
    scores = scores[:, :_COMPONENTS] * scale[:_COMPONENTS]
    squares = (scores**2).sum(axis=1)
    distance = squares[:, None] + squares - 2 * scores @ scores.T
    return np.argsort(distance, axis=1, kind="stable")[:, :PROTEIN_NEIGHBOURS]


def _transcripts(
    profiles: AnnData, logged: NDArray[np.float64], marker: Marker
) -> NDArray[np.float64]:
    columns = profiles.var_names.get_indexer(list(marker.genes))
    return np.asarray(np.expm1(logged[:, columns]).mean(axis=1))
