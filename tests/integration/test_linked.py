"""Features that the parameters choose, batches of the reference, and what is said of the rest."""

import json
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from napari_gluer.errors import InputError
from napari_gluer.integration.gluer import integrate
from napari_gluer.integration.linked import link
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.integration.transfer import transfer_labels

QUICK = {"network": {"max_epochs": 3}}


def params(**features: Any) -> IntegrateParams:
    return IntegrateParams(features=features, **QUICK)


def dense(matrix: Any) -> np.ndarray:
    return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)


def logs(table: AnnData, n_features: int) -> np.ndarray:
    counts = dense(table.X).astype(float)
    return np.asarray(np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)[:, :n_features])


def test_reference_and_cells_lie_over_the_same_features(typed: Any) -> None:
    shuffled = typed.cells[:, ::-1].copy()
    found = link([shuffled], typed.reference, params())
    order = [int(name.removeprefix("Protein")) for name in found.links.index]
    assert sorted(order) == list(range(24))
    np.testing.assert_allclose(
        dense(found.matrices[0]), logs(typed.reference, 24)[:, order], rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        dense(found.matrices[1]), logs(typed.cells, 24)[:, order], rtol=1e-4, atol=1e-5
    )


def test_only_the_named_features_link(typed: Any) -> None:
    names = ("Protein7", "Protein3", "Protein9")
    found = link([typed.cells], typed.reference, params(only=names))
    assert list(found.links.index) == ["Protein3", "Protein7", "Protein9"]
    assert {
        name for name, why in found.unlinked.items() if why == "left out by the parameters"
    } == {f"Protein{i}" for i in range(24)} - set(names)
    # depth is that of all markers, whichever link
    np.testing.assert_allclose(
        dense(found.matrices[1]), logs(typed.cells, 24)[:, [3, 7, 9]], rtol=1e-4, atol=1e-5
    )


def test_named_features_are_left_out_and_win_over_those_to_link(typed: Any) -> None:
    found = link([typed.cells], typed.reference, params(without=("Protein0", "Protein23")))
    assert list(found.links.index) == [f"Protein{i}" for i in range(1, 23)]
    both = params(only=("Protein1", "Protein2"), without=("Protein2",))
    assert list(link([typed.cells], typed.reference, both).links.index) == ["Protein1"]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"only": ("CD3",)}, r"link nothing: CD3\. Cells and reference share Protein0, Protein1"),
        ({"without": ("Protein1", "Protein99")}, r"link nothing: Protein99\."),
        ({"only": ("Protein1",), "without": ("Protein1",)}, "leave no feature to link"),
    ],
)
def test_names_that_link_nothing_are_refused(typed: Any, wanted: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        link([typed.cells], typed.reference, params(**wanted))


def test_most_variable_features_are_told_from_the_rest(typed: Any) -> None:
    found = link([typed.cells], typed.reference, params(max_features=6))
    ranks = [
        np.argsort(np.argsort(-logs(table, 24).var(axis=0)))
        for table in (typed.reference, typed.cells)
    ]
    best = np.sort(np.argsort(np.max(ranks, axis=0), kind="stable")[:6])
    assert list(found.links.index) == [f"Protein{i}" for i in best]
    assert set(found.unlinked.values()) == {"not among the most variable"}
    assert len(found.unlinked) == 18


def test_cells_with_too_few_features_are_unmatched(typed: Any) -> None:
    cells = typed.cells.copy()
    cells.X[5, 4:], cells.X[5, :4] = 0, 2
    cells.X[6, 3:], cells.X[6, :3] = 0, 2
    result = integrate(cells, typed.reference, params(least_linked=4))
    assert list(np.flatnonzero(result.obs["gluer_unmatched"])) == [6]
    reference = typed.reference.copy()
    counts = dense(reference.X)
    counts[7, 3:24] = 0
    reference.X = sparse.csr_matrix(counts)
    weights = integrate(cells, reference, params(least_linked=4)).obsm["gluer_weights"]
    assert not dense(weights)[:, 7].any()


def test_one_wish_for_more_features_than_link_is_met_by_all(typed: Any) -> None:
    few = typed.cells[:, :3].copy()
    result = integrate(few, typed.reference, params(least_linked=50))
    assert not result.obs["gluer_unmatched"].all()


def with_batch(typed: Any, shift: float) -> AnnData:
    """Half of the reference cells measure every other gene far too high."""
    reference = typed.reference.copy()
    values = logs(reference, 40).astype(np.float32)
    second = np.arange(reference.n_obs) % 2 == 1
    values[np.ix_(second, np.arange(40) % 2 == 0)] += shift
    reference.X = values
    reference.obs["donor"] = np.where(second, "second", "first")
    reference.uns["gluer"] = {"kind": "log1p"}
    return reference


def other_batch_share(result: AnnData, reference: AnnData) -> np.ndarray:
    """Share of each cell's weight on the second batch."""
    second = (reference.obs["donor"] == "second").to_numpy()
    return np.asarray(dense(result.obsm["gluer_weights"])[:, second].sum(axis=1))


def test_a_shift_of_a_batch_of_the_reference_is_undone(typed: Any) -> None:
    reference = with_batch(typed, 3)
    plain = IntegrateParams(**QUICK)
    batched = IntegrateParams(reference_batch="donor", **QUICK)
    unshifted = integrate(typed.cells, with_batch(typed, 0), batched)
    undone, left = (integrate(typed.cells, reference, p) for p in (batched, plain))
    np.testing.assert_allclose(undone.obsm["X_gluer"], unshifted.obsm["X_gluer"], atol=5e-3)
    found = transfer_labels(undone, reference, "cell_type")["cell_type_transferred"]
    assert (found.to_numpy(str) == typed.types).mean() > 0.95

    def one_sided(result: AnnData) -> float:
        """0 where cells draw on both batches alike, 0.5 where each draws on one of them."""
        return float(np.abs(other_batch_share(result, reference) - 0.5).mean())

    assert one_sided(undone) < 0.7 * one_sided(left)


def test_a_column_of_batches(typed: Any) -> None:
    reference = with_batch(typed, 0)
    with pytest.raises(InputError, match=r"no obs\['donors'\] \(it has: cell_type, donor\)"):
        integrate(typed.cells, reference, IntegrateParams(reference_batch="donors"))
    reference.obs["depth"] = np.random.default_rng(0).random(reference.n_obs)
    with pytest.raises(InputError, match="150 different numbers; it is no column of batches"):
        integrate(typed.cells, reference, IntegrateParams(reference_batch="depth"))


def test_cells_without_a_batch_are_one_of_their_own(typed: Any) -> None:
    reference = with_batch(typed, 0)
    reference.obs["donor"] = reference.obs["donor"].where(reference.obs["donor"] == "first")
    batched = IntegrateParams(reference_batch="donor", **QUICK)
    found = link([typed.cells], reference, batched).batch
    assert found is not None
    assert len(np.unique(found)) == 2
    assert set(found[1::2]) == {0}


def test_all_that_is_left_out_is_remembered_with_its_reason(typed: Any) -> None:
    cells = typed.cells.copy()
    cells.X[:, 2] = 0
    cells.var["genes"] = cells.var["genes"].astype(str)
    cells.var.loc["Protein5", "genes"] = "NOSUCHGENE"
    cells.var.loc["Protein6", "genes"] = ""
    reference = typed.reference.copy()
    counts = dense(reference.X)
    counts[1:, 8] = 0
    counts[0, 8] = 1
    reference.X = sparse.csr_matrix(counts)
    result = integrate(cells, reference, params(without=("Protein9",), least_detected=0.02))
    why = json.loads(result.uns["gluer"]["unlinked"])
    assert why == {
        "Protein2": "one value in all cells",
        "Protein5": "not in the reference",
        "Protein6": "no gene known",
        "Protein8": "silent in the reference",
        "Protein9": "left out by the parameters",
    }
    outcome = result.uns["gluer"]["outcome"]
    assert "over 19 linked features" in outcome
    assert "1 silent in the reference is left out (Protein8)" in outcome
    assert "1 of one value only is left out (Protein2)" in outcome
