"""Mapping cells into the space of a reference with a map that was learnt before."""

import hashlib
import json
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from annotated_types import Ge, Le
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.devices import one_blas_thread
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import expression, fingerprint
from napari_gluer.integration.canonical import Turn
from napari_gluer.integration.confidence import Confidence, Placement, confidence_of
from napari_gluer.integration.linking import cell_features
from napari_gluer.integration.network import MapNetwork, one_thread
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.integration.provenance import versions
from napari_gluer.integration.spaces import Shares, Spaces
from napari_gluer.integration.standard import Standardized, above_zero, standardized
from napari_gluer.integration.transcriptome import Prediction
from napari_gluer.integration.weights import neighbour_weights
from napari_gluer.io.maps import TrainedMap
from napari_gluer.neighbours import unit_rows
from napari_gluer.params import Params
from napari_gluer.track import Track, silently

Array = NDArray[np.float32]

_AT_ONCE = 65_536


class MapParams(Params):
    """How cells are brought to the scale of the map."""

    standardize_by: Literal["training", "own"] = "training"
    """By mean and spread of the cells it was learnt from, where staining and mixture of types are
    alike; "own" takes those of the new cells, where staining differs and they are many."""

    least_own: Annotated[int, Ge(2), Le(1_000_000)] = 200
    """Refuse "own" for fewer cells, whose mean and spread say little."""


class Space(NamedTuple):
    """Cells in the space of a reference, each ``(n_cells, k)``, and which have signal enough."""

    space: Array
    factors: Array
    scores: Array
    usable: NDArray[np.bool_]


@one_blas_thread()
def map_cells(
    cells: AnnData,
    reference: AnnData,
    trained: TrainedMap,
    params: MapParams = MapParams(),  # noqa: B008 - frozen
    *,
    track: Track = silently,
) -> AnnData:
    """Map cells into the space of the reference with a map learnt before.

    Nothing is learnt, so a cell's place does not depend on the other cells (with ``standardize_by``
    ``training``): sections can be mapped one by one, on other machines, with one result.

    Parameters
    ----------
    cells
        Measured and cleaned as those the map was learnt from; must have all its features.
    reference
        The very reference it was learnt with.
    trained
        Of `learn_map` or `load_map`.
    params
        How values are brought to its scale.
    track
        Wraps long loops.

    Returns
    -------
    AnnData
        A copy with the slots that `integrate` sets, so that `impute`, `transfer_labels` and all
        others work on it, and ``uns["gluer"]["mapped_by"]``: SHA-256 and outcome of the map.

    Raises
    ------
    InputError
        If the reference is another one, features are missing, or values are of another kind.
    """
    expressed = expression(reference)
    if fingerprint(reference, expressed) != trained.header.reference_fingerprint:
        raise InputError(
            "This map was learnt with another reference (other cells, genes or values). Use that "
            "one, or learn a map with this one: ng.learn_map(cells, reference)."
        )
    asked = IntegrateParams(**trained.header.params)
    arrays = trained.arrays
    placed = mapped_space(cells, trained, params)
    weighed = neighbour_weights(
        arrays["reference_space"],
        placed.space,
        arrays["reference_usable"],
        asked.weights,
        device=asked.device,
        track=track,
    )
    rows = np.flatnonzero(arrays["anchored_reference"]).astype(np.int64)
    placement = Placement(
        arrays["reference_space"],
        (arrays["reference_unmapped"], placed.factors),
        (arrays["reference_scores"], placed.scores),
        weighed,
        np.column_stack([rows, np.zeros_like(rows)]),
        (arrays["reference_usable"], placed.usable),
    )
    seed = trained.header.seed
    judged = confidence_of(placement, reference, asked, seed=seed, track=track)
    result = cells.copy()
    slots.drop_results(result)
    result.obsm[slots.EMBEDDING] = placed.space
    result.obsm[slots.UNMAPPED] = placed.factors
    result.obsm[slots.WEIGHTS] = weighed.weights
    _note(result, reference, trained, judged)
    return result


def mapped_space(
    cells: AnnData,
    trained: TrainedMap,
    params: MapParams = MapParams(),  # noqa: B008 - frozen
) -> Space:
    """Where cells come to lie, without weights and confidence."""
    values = _values(cells, trained)
    side = _standardized(values, trained, params)
    arrays, header = trained.arrays, trained.header
    scores = side.times(arrays["directions"])
    factors = unit_rows(scores)
    turned = told = None
    if "turn_directions" in arrays:
        turned = [Turn(arrays["turn_centre"], arrays["turn_directions"]).of(factors)]
    if "coefficients" in arrays:
        told = [Prediction(arrays["coefficients"]).of(side)]
    (space,) = Spaces([factors], turned, told).blend(Shares(*header.shares))
    usable = above_zero(values) >= header.least_linked
    return Space(unit_rows(_through_network(space, trained)), factors, scores, usable)


def _values(cells: AnnData, trained: TrainedMap) -> Any:
    """Values of the map's features, in its order."""
    header = trained.header
    missing = [name for name in header.features if name not in cells.var_names]
    if missing:
        raise InputError(
            f"The map needs {len(header.features):,} features and these cells lack "
            f"{listed(missing)}. Cells of the same panel can be mapped; else integrate them."
        )
    known = slots.info(cells)
    kind = str(known.get(slots.KIND, ""))
    if kind != header.kind or (slots.CLEAN in known) != header.normalised:
        raise InputError(
            f"The map was learnt from {_described(header.kind, header.normalised)}; these cells "
            f"hold {_described(kind, slots.CLEAN in known)}. Prepare them in the same way."
        )
    links = pd.DataFrame({"genes": list(header.features.values())}, index=list(header.features))
    return cell_features(cells, links)


def _described(kind: str, cleaned: bool) -> str:  # noqa: FBT001 - what was found
    return f"{'cleaned' if cleaned else 'uncleaned'} {kind or 'values of unknown kind'}"


def _standardized(values: Any, trained: TrainedMap, params: MapParams) -> Standardized:
    device = IntegrateParams(**trained.header.params).device
    if params.standardize_by == "own":
        if values.shape[0] < params.least_own:
            raise InputError(
                f"{values.shape[0]} cells are too few to be standardised by their own mean and "
                f"spread; at least {params.least_own} are needed, or standardize_by='training'."
            )
        return standardized(values, device=device)
    spread, mean = trained.arrays["cell_spread"], trained.arrays["cell_mean"]
    if sparse.issparse(values):
        scaled = sparse.csr_matrix(values, dtype=np.float32, copy=True)
        scaled.data /= spread[scaled.indices]
    else:
        scaled = np.array(values, np.float32) / spread
    batch = np.zeros(values.shape[0], np.intp)
    return Standardized(scaled, (mean / spread)[None, :], batch, device)


def _through_network(space: Array, trained: TrainedMap) -> Array:
    network = _network(space.shape[1], trained)
    scale = trained.header.scale
    factors = torch.from_numpy((space / scale).astype(np.float32))
    with one_thread(), torch.no_grad():
        mapped = torch.cat([network(part) for part in torch.split(factors, _AT_ONCE)])
    return np.asarray((mapped * scale).numpy(), np.float32)


def _network(width: int, trained: TrainedMap) -> MapNetwork:
    params = IntegrateParams(**trained.header.params).network
    network = MapNetwork(width, params, torch.Generator().manual_seed(0))
    weights = {
        name.removeprefix("network."): torch.from_numpy(np.array(array))
        for name, array in trained.arrays.items()
        if name.startswith("network.")
    }
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(
            "The network of this map does not fit its parameters; the file is damaged. Learn the "
            "map anew with ng.learn_map."
        ) from error
    return network


def _note(result: AnnData, reference: AnnData, trained: TrainedMap, judged: Confidence) -> None:
    """What `integrate` notes, as far as it holds for cells that nothing was learnt from."""
    arrays, header = trained.arrays, trained.header
    result.obs[slots.CONFIDENCE] = judged.confidence
    result.obs[slots.SUPPORT] = judged.support
    result.obs[slots.ANCHORED] = judged.anchored
    result.obs[slots.UNMATCHED] = judged.unmatched
    unmatched = int(slots.without_signal(result).sum())
    told: dict[str, Any] = {"column": judged.column, "text": judged.text}
    if judged.absence is not None:
        told |= {"auroc": judged.absence.auroc, "detectable": judged.absence.detectable}
    parts = [f"{result.n_obs:,} cells mapped with a {header.outcome}"]
    parts += [f"{unmatched:,} without signal are unmatched"] if unmatched else []
    parts += [judged.text] if judged.text else []
    slots.note(
        result,
        **{
            **header.provenance,
            slots.REFERENCE_FACTORS: arrays["reference_space"].copy(),
            slots.REFERENCE_UNMAPPED: arrays["reference_unmapped"].copy(),
            slots.REFERENCE_NAMES: reference.obs_names.astype(str).to_numpy(object),
            slots.MAPPED_BY: json.dumps({"sha256": sha256_of(trained), "map": header.outcome}),
        },
        absence=json.dumps(told),
        versions=json.dumps(versions()),
        n_tables=1,
        table_number=0,
        outcome="; ".join(parts),
    )


def sha256_of(trained: TrainedMap) -> str:
    """SHA-256 of header and numbers: which map it was."""
    digest = hashlib.sha256(trained.header.model_dump_json().encode())
    for name in sorted(trained.arrays):
        digest.update(name.encode() + np.ascontiguousarray(trained.arrays[name]).tobytes())
    return digest.hexdigest()
