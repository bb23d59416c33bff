"""Learning a map from cells and a reference, as `integrate` does it, and keeping its parts."""

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.devices import one_blas_thread, pick_device
from napari_gluer.errors import InputError
from napari_gluer.expression import expression, require_same_reference
from napari_gluer.integration.canonical import Turn, canonical_map
from napari_gluer.integration.choice import Choice, chosen_shares
from napari_gluer.integration.linked import Linked, link
from napari_gluer.integration.network import Training, one_thread
from napari_gluer.integration.pairing import given_pairs
from napari_gluer.integration.params import IntegrateParams, SingularVectors
from napari_gluer.integration.provenance import provenance
from napari_gluer.integration.singular import joint_singular_factors, singular_scores
from napari_gluer.integration.spaces import PAIRS_A_DIRECTION, Anchoring, Spaces
from napari_gluer.integration.standard import moments, standardized, varies
from napari_gluer.integration.transcriptome import Prediction, components, learnt
from napari_gluer.io.maps import MapHeader, TrainedMap
from napari_gluer.neighbours import unit_rows
from napari_gluer.track import Track, silently

Array = NDArray[np.float32]

_NOT_KEPT = (slots.REFERENCE_NAMES, "timings", "linked_values_sha256", "versions")


class _Parts(NamedTuple):
    """The closed-form parts of a map, and both sides in its space."""

    directions: Array
    turn: Turn | None
    prediction: Prediction | None
    scores: list[Array]
    factors: list[Array]
    space: list[Array]
    choice: Choice


@one_blas_thread()
def learn_map(
    cells: AnnData,
    reference: AnnData,
    params: IntegrateParams = IntegrateParams(),  # noqa: B008 - frozen
    *,
    pairs: Any = None,
    seed: int = 0,
    track: Track = silently,
) -> TrainedMap:
    """Learn the map that `integrate` uses for one table of cells, and keep it.

    The same cells mapped with it (`map_cells`) get the very result of
    ``integrate(cells, reference, params, pairs=pairs, seed=seed)``; other cells of the same panel
    are mapped without learning anything anew.

    Parameters
    ----------
    cells, reference, params, pairs, seed, track
        As in `integrate`; one table of cells.

    Returns
    -------
    TrainedMap
        To be kept with `save_map`.

    Raises
    ------
    InputError
        As `integrate`; and if the preset factorises with non-negative matrices (``paper``), whose
        factors other cells have no closed form for.
    """
    if not params.features.standardize or not isinstance(params.factorize.update, SingularVectors):
        raise InputError(
            "Maps are kept for factorize.update 'singular' on standardised features, as in "
            "preset='default'; with preset='paper' integrate all cells together instead."
        )
    linked = link([cells], reference, params)
    given = None if pairs is None else given_pairs(pairs, reference.obs_names, cells.obs_names)
    anchoring = Anchoring(linked.usable, [given], params, seed)
    parts = _parts(linked, anchoring, seed, track)
    found = anchoring.between(
        parts.space,
        1,
        confirming=linked.matrices if params.anchors.confirm_neighbors else None,
        track=track,
    )
    if not len(found):
        raise InputError("There are no anchors between cells and reference, so nothing to learn.")
    training = _trained(parts.space, found, params, seed, track)
    header = _header(cells, linked, parts, training, (params, seed, len(found)))
    return TrainedMap(header, _arrays(linked, parts, training, found))


def map_of(cells: AnnData, reference: AnnData, *, track: Track = silently) -> TrainedMap:
    """Learn again the map that an integrated table was made with; refused if another comes out.

    Parameters
    ----------
    cells
        Integrated, by itself; reads ``X``, ``uns["gluer"]`` and ``obsm["X_gluer"]``.
    reference
        The very reference of the integration.
    track
        Wraps long loops.

    Raises
    ------
    InputError
        If the cells are not integrated, were integrated together with other tables, or have other
        values by now.
    """
    from napari_gluer.mapping.applying import mapped_space  # noqa: PLC0415 - it needs this module

    embedded = slots.require(cells, "obsm", slots.EMBEDDING, "Integrate the cells first.")
    known = slots.info(cells)
    require_same_reference(cells, reference, expression(reference))
    if int(known.get("n_tables", 1)) != 1 or slots.MAPPED_BY in known:
        raise InputError(
            "These cells were integrated with other tables, or mapped with a map. Learn a map from "
            "one table that stands for all: ng.learn_map(cells, reference)."
        )
    params = IntegrateParams(**json.loads(known["params"]))
    seed, pairs = int(known["seed"]), known.get("pairs")
    plain = cells.copy()
    slots.drop_results(plain)
    trained = learn_map(plain, reference, params, pairs=pairs, seed=seed, track=track)
    if not np.allclose(mapped_space(plain, trained).space, embedded, atol=1e-3):
        raise InputError(
            "Learning again gives another map than these cells were integrated with: their values "
            "have changed since, or other versions are installed. Integrate them again."
        )
    return trained


def _parts(linked: Linked, anchoring: Anchoring, seed: int, track: Track) -> _Parts:
    """As `integrate` makes them, in the same order."""
    params = anchoring.params
    batches: list[Any] = [linked.batch, None]
    sides = [
        standardized(X, batch, device=params.device)
        for X, batch in zip(linked.matrices, batches, strict=True)
    ]
    targets = _targets(linked, params, seed)
    choice = chosen_shares(sides, targets, anchoring, seed=seed, track=track)
    found = joint_singular_factors(sides, params.factorize.rank, seed=seed, track=track)
    scores = singular_scores(found)
    factors = [unit_rows(side) for side in scores]
    turns = _turns(factors, anchoring, track) if choice.shares.mapped else None
    told = choice.shares.transcriptome and targets is not None
    prediction = learnt(sides[0], targets) if told and targets is not None else None
    spaces = Spaces(
        factors,
        [turn.of(side) for turn, side in zip(turns, factors, strict=True)] if turns else None,
        [prediction.of(side) for side in sides] if prediction else None,
    )
    made = Choice(spaces.present(choice.shares), choice.agreement)
    rank = found.G.shape[1] // 2
    turn = turns[1] if turns else None
    space = spaces.blend(made.shares)
    return _Parts(found.G[:, :rank], turn, prediction, scores, factors, space, made)


def _targets(linked: Linked, params: IntegrateParams, seed: int) -> Array | None:
    """Components of the reference's transcriptome, where it says more than the linked features."""
    asked, matrix = params.transcriptome, linked.expressed.matrix
    if not asked.share or matrix.shape[1] < asked.times_richer * len(linked.links):
        return None
    return components(matrix, linked.batch, asked, seed=seed, device=params.device)


def _turns(factors: list[Array], anchoring: Anchoring, track: Track) -> tuple[Turn, Turn] | None:
    """The linear map of both sides (`spaces.mapped_factors`, which keeps only what it gives)."""
    params, turns, sides = anchoring.params.canonical, None, factors
    for _ in range(params.rounds):
        pairs = anchoring.between(sides, 1, track=track)
        if len(pairs) < PAIRS_A_DIRECTION * factors[0].shape[1]:
            break
        anchored = factors[0][pairs[:, 0]], factors[1][pairs[:, 1]]
        turns = canonical_map(*anchored, params.ridge)
        sides = [turn.of(side) for turn, side in zip(turns, factors, strict=True)]
    return turns


def _trained(
    space: Sequence[Array],
    pairs: NDArray[np.int64],
    params: IntegrateParams,
    seed: int,
    track: Track,
) -> Training:
    """`network.fit_map`, of which the network is kept."""
    with one_thread():
        device = pick_device(params.device)
        training = Training((space[0], space[1]), pairs, params.network, seed + 1, device)
        steps = training.steps_per_epoch * params.network.max_epochs
        for step in track(range(steps), "Training the map"):
            training.step()
            if (step + 1) % training.steps_per_epoch == 0 and training.end_epoch():
                break
        training.result()  # puts the best weights back
    return training


def _arrays(
    linked: Linked, parts: _Parts, training: Training, pairs: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    mean, variance = moments(linked.matrices[1])
    spread = np.sqrt(np.where(varies(mean, variance), variance, 1)).astype(np.float32)
    anchored = np.zeros(linked.matrices[0].shape[0], np.bool_)
    anchored[pairs[:, 0]] = True
    arrays = {
        "cell_mean": mean.astype(np.float32),
        "cell_spread": spread,
        "directions": np.asfortranarray(parts.directions),
        "reference_space": parts.space[0],
        "reference_unmapped": parts.factors[0],
        "reference_scores": parts.scores[0],
        "reference_usable": linked.usable[0],
        "anchored_reference": anchored,
    }
    if parts.turn is not None:
        arrays |= {"turn_centre": parts.turn.centre, "turn_directions": parts.turn.directions}
    if parts.prediction is not None:
        arrays["coefficients"] = parts.prediction.coefficients
    for name, weights in training.network.state_dict().items():
        arrays[f"network.{name}"] = weights.cpu().numpy()
    return arrays


def _header(
    cells: AnnData,
    linked: Linked,
    parts: _Parts,
    training: Training,
    how: tuple[IntegrateParams, int, int],
) -> MapHeader:
    params, seed, n_anchors = how
    rank = parts.directions.shape[1]
    kept = provenance(linked, parts.choice, params, seed, {})
    told = {name: value for name, value in kept.items() if name not in _NOT_KEPT}
    text = (
        f"map of {len(linked.links):,} features learnt from {cells.n_obs:,} cells and "
        f"{linked.reference.n_obs:,} reference cells, {n_anchors:,} anchors, {rank} factors"
    )
    return MapHeader(
        software=version("napari-gluer"),
        features={str(name): list(genes) for name, genes in linked.links["genes"].items()},
        kind=str(slots.info(cells).get(slots.KIND, "")),
        normalised=slots.CLEAN in slots.info(cells),
        reference_fingerprint=linked.fingerprint,
        n_reference=linked.reference.n_obs,
        params=params.model_dump(mode="json"),
        seed=seed,
        shares=(float(parts.choice.shares[0]), float(parts.choice.shares[1])),
        scale=training.scale,
        network={"hidden": list(params.network.hidden), "residual": params.network.residual},
        least_linked=min(params.features.least_linked, len(linked.links)),
        provenance={**told, "n_anchors": n_anchors, "rank": rank},
        outcome=text,
    )
