"""Layouts that took time are kept: on the labels layer, and in the table where scanpy looks."""

import json
from typing import Any

import numpy as np
from anndata import AnnData
from napari.layers import Labels
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer._napari.attached import KEY, held
from napari_gluer._napari.embedding.spaces import Placed, Sides, Space
from napari_gluer.analysis.sampled_layouts import SampledLayoutParams

_LAYOUTS = "layouts"
_MOST = 8  # kept with a layer
_WORDS = {"umap": "UMAP", "tsne": "t-SNE"}


def key_of(params: SampledLayoutParams, seed: int) -> str:
    """What a layout depends on besides the values."""
    return f"{params.model_dump_json()} seed {seed}"


def placed(
    sides: Sides, result: tuple[NDArray[np.float32], int], params: SampledLayoutParams
) -> Placed:
    """The result of `sampled_layout` on ``sides.stacked``."""
    plane, n_laid_out = result
    m, word = len(sides.reference), _WORDS[params.layout.kind]
    return Placed(
        labels=sides.labels,
        reference=plane[:m],
        cells=plane[m:],
        axes=(f"{word} 1", f"{word} 2"),
        n_laid_out=n_laid_out,
    )


def remember(layer: Labels, sides: Sides, key: str, found: Placed) -> None:
    """Keep a layout of these values with the labels layer."""
    kept = {**held(layer).get(_LAYOUTS, {}), (sides.fingerprint, key): found}
    kept = dict(list(kept.items())[-_MOST:])
    # in place: no table changed, so nobody needs to list anew
    layer.metadata.setdefault(KEY, {})[_LAYOUTS] = kept


def remembered(
    layer: Labels, cells: AnnData, sides: Sides, params: SampledLayoutParams, seed: int
) -> Placed | None:
    """A layout made before of the same values with the same parameters: here, or in the table."""
    key = key_of(params, seed)
    known: Placed | None = held(layer).get(_LAYOUTS, {}).get((sides.fingerprint, key))
    return known or _stored(cells, sides, params, seed)


def store(
    cells: AnnData, sides: Sides, found: Placed, params: SampledLayoutParams, seed: int
) -> None:
    """Write a layout of the co-embedding where scanpy's plots look.

    Sets ``obsm["X_umap"]`` or ``obsm["X_tsne"]``, float32 ``(n, 2)``, and in ``uns["gluer"]``
    ``layout_umap`` or ``layout_tsne``: what it was made with, as JSON; ``reference_umap`` or
    ``reference_tsne``: the reference's part, ``(m, 2)``.
    """
    kind = params.layout.kind
    if f"X_{kind}" in cells.obsm and f"layout_{kind}" not in slots.info(cells):
        return  # somebody's own
    cells.obsm[f"X_{kind}"] = found.cells
    made: dict[str, Any] = {
        "params": params.model_dump(),
        "seed": seed,
        "n_laid_out": found.n_laid_out,
        "fingerprint": sides.fingerprint,
        "note": f"laid out together with {len(found.reference)} reference cells",
    }
    slots.note(cells, **{f"layout_{kind}": json.dumps(made), f"reference_{kind}": found.reference})


def _stored(cells: AnnData, sides: Sides, params: SampledLayoutParams, seed: int) -> Placed | None:
    kind = params.layout.kind
    known = slots.info(cells)
    if f"X_{kind}" not in cells.obsm or f"layout_{kind}" not in known:
        return None
    made = json.loads(known[f"layout_{kind}"])
    same = (made["params"], made["seed"], made["fingerprint"]) == (
        json.loads(params.model_dump_json()),
        seed,
        sides.fingerprint,
    )
    if not same:
        return None
    plane = np.concatenate([known[f"reference_{kind}"], cells.obsm[f"X_{kind}"]])
    return placed(sides, (np.asarray(plane, np.float32), made["n_laid_out"]), params)


def is_stored(space: Space) -> bool:
    """Only the co-embedding's layout is what others expect under these names."""
    return space == "after"
