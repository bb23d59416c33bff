"""Running an integration again from what its result remembers, and comparing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from anndata import AnnData
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import expression, require_same_reference
from napari_gluer.integration.gluer import integrate
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.integration.provenance import versions
from napari_gluer.track import Track, silently

TOLERANCE = 1e-3
"""Largest difference of co-embedding and weights that counts as the same result: other thread
counts and processors add sums in another order."""


@dataclass(frozen=True)
class Reproduction:
    """Result of `reproduce`.

    Attributes
    ----------
    embedding, weights
        Largest absolute difference of ``obsm["X_gluer"]`` and of ``obsm["gluer_weights"]``.
    same_inputs
        Whether the linked values are those of the first run.
    versions
        Packages whose version differs: then and now.
    """

    embedding: float
    weights: float
    same_inputs: bool
    versions: dict[str, tuple[str, str]]

    @property
    def equal(self) -> bool:
        """Whether the result came out again, to `TOLERANCE`."""
        close = self.embedding <= TOLERANCE and self.weights <= TOLERANCE  # NaN is never close
        return self.same_inputs and close

    @property
    def text(self) -> str:
        """What came of it, for a person."""
        difference = f"co-embedding {self.embedding:.2g}, weights {self.weights:.2g}"
        lines = [
            "The same result." if self.equal else "NOT the same result.",
            f"Largest difference: {difference} (up to {TOLERANCE:g} is the same).",
        ]
        if not self.same_inputs:
            lines.append("The linked values of the cells are not those of the first run.")
        lines += [f"{name}: {then} then, {now} now." for name, (then, now) in self.versions.items()]
        return "\n".join(lines)


def reproduce(
    cells: AnnData | Sequence[AnnData], reference: AnnData, *, track: Track = silently
) -> list[Reproduction]:
    """Integrate again with the parameters, seed and pairs that the result stores, and compare.

    Parameters
    ----------
    cells
        Integrated cells, whose ``X`` is still what was integrated. Tables that were integrated in
        one call must all be given, in their order.
    reference
        The reference of the integration.
    track
        Wraps every long loop.

    Returns
    -------
    list of Reproduction
        One for each table.

    Raises
    ------
    InputError
        If cells are not integrated, tables are missing, or the reference is another one.
    """
    tables = [cells] if isinstance(cells, AnnData) else list(cells)
    if not tables:
        raise InputError("There is no table of cells to reproduce.")
    known = [_known(table) for table in tables]
    _require_all(known)
    expressed = expression(reference)
    for table in tables:
        require_same_reference(table, reference, expressed)
    first = known[0]
    pairs = [info.get("pairs") for info in known]
    again = integrate(
        [_before(table) for table in tables],
        reference,
        IntegrateParams(**json.loads(first["params"])),
        pairs=pairs,
        seed=int(first["seed"]),
        track=track,
    )
    return [_compared(old, new) for old, new in zip(tables, again, strict=True)]


def _known(table: AnnData) -> dict[str, Any]:
    known = slots.info(table)
    for slot in (slots.EMBEDDING, slots.WEIGHTS):
        slots.require(table, "obsm", slot, "Only integrated cells can be reproduced.")
    missing = [key for key in ("params", "seed", "linked_values_sha256") if key not in known]
    if missing:
        raise InputError(f"The result does not remember {listed(missing)}; integrate again.")
    return known


def _require_all(known: list[dict[str, Any]]) -> None:
    """All tables of one call, in their order."""
    wanted = int(known[0].get("n_tables", 1)) if known else 0
    places = [int(info.get("table_number", 0)) for info in known]
    one_call = len({info["linked_values_sha256"] for info in known}) == 1
    if not known or places != list(range(wanted)) or not one_call:
        raise InputError(
            f"These cells were integrated in one call with others: all {wanted} tables are needed, "
            f"in their order; given: {listed([place + 1 for place in places])}."
        )


def _before(table: AnnData) -> AnnData:
    """The table as it was before the integration."""
    before = table.copy()
    slots.drop_results(before)
    return before


def _compared(old: AnnData, new: AnnData) -> Reproduction:
    then, now = slots.info(old), slots.info(new)
    earlier: dict[str, str] = json.loads(then.get("versions", "{}"))
    current = versions()
    return Reproduction(
        embedding=_largest(old.obsm[slots.EMBEDDING], new.obsm[slots.EMBEDDING]),
        weights=_largest(old.obsm[slots.WEIGHTS], new.obsm[slots.WEIGHTS]),
        same_inputs=then["linked_values_sha256"] == now["linked_values_sha256"],
        versions={
            name: (earlier.get(name, "unknown"), version)
            for name, version in current.items()
            if earlier.get(name) != version
        },
    )


def _largest(old: Any, new: Any) -> float:
    """Largest absolute difference, infinite where the shapes differ."""
    if old.shape != new.shape:
        return float("inf")
    difference = abs(old - new)
    if sparse.issparse(difference):
        return float(difference.max()) if difference.nnz else 0.0
    return float(np.max(difference, initial=0))
