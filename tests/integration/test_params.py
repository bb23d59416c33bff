from typing import Any

import pytest
from pydantic import ValidationError

from napari_gluer.integration.params import (
    AnchorParams,
    CoordinateDescent,
    FactorizeParams,
    IntegrateParams,
    Multiplicative,
    NetworkParams,
    SingularVectors,
    WeightParams,
)

PRESETS = ("paper", "default")


def test_paper_has_the_published_values() -> None:
    dumped = IntegrateParams(preset="paper").model_dump()
    published: dict[str, dict[str, Any]] = {
        "features": {"standardize": False, "least_detected": 0, "least_linked": 1},
        "factorize": {
            "alpha": 1,
            "rank": 20,
            "max_iter": 200,
            "tolerance": 0,
            "start": "uniform",
            "update": {"kind": "multiplicative", "constant": 1},
        },
        "anchors": {
            "n_neighbors": 30,
            "confirm_neighbors": 50,
            "max_partners": 3,
            "largest_share": 1,
            "max_cells": 0,
        },
        "transcriptome": {"share": 0},
        "canonical": {"share": 0},
        "choice": {"folds": 0},
        "network": {
            "hidden": (200, 100, 50, 25, 50, 100, 200),
            "residual": False,
            "learning_rate": 1e-4,
            "batch_size": 32,
            "max_epochs": 500,
            "held_out": 0.1,
            "patience": 0,
            "match_distributions": 0,
            "average_partners": False,
        },
        "weights": {"n_neighbors": 20, "temperature": 1, "largest_share": 1},
    }
    for part, fields in published.items():
        assert {name: dumped[part][name] for name in fields} == fields
    assert dumped["features"]["max_features"] == 0


def test_default_is_another_method_and_the_one_taken() -> None:
    assert IntegrateParams() == IntegrateParams(preset="default")
    default = IntegrateParams()
    assert default.features.standardize
    assert default.factorize.update == SingularVectors()
    assert default.network.residual
    assert default.network.patience > 0


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("features", "max_features", 7),
        ("factorize", "rank", 30),
        ("anchors", "max_partners", 2),
        ("network", "max_epochs", 3),
        ("weights", "temperature", 0.5),
    ],
)
def test_one_given_field_wins_and_the_others_stay(
    preset: str, part: str, field: str, value: object
) -> None:
    plain = IntegrateParams(preset=preset).model_dump()
    plain[part][field] = value
    kind = type(getattr(IntegrateParams(), part))
    for given in ({field: value}, kind(**{field: value})):
        assert IntegrateParams(preset=preset, **{part: given}).model_dump() == plain


@pytest.mark.parametrize("preset", PRESETS)
def test_a_given_value_wins_where_it_equals_the_default_of_the_class(preset: str) -> None:
    params = IntegrateParams(preset=preset, weights=WeightParams(temperature=1.0))
    assert params.weights.temperature == 1
    params = IntegrateParams(preset=preset, network=NetworkParams(residual=False, patience=0))
    assert not params.network.residual
    assert params.network.patience == 0
    assert IntegrateParams(preset=preset, anchors=AnchorParams()) == IntegrateParams(preset=preset)


@pytest.mark.parametrize(
    "update",
    [{"kind": "multiplicative"}, Multiplicative(), {"kind": "multiplicative", "constant": 1}],
)
def test_a_method_of_another_kind_replaces_the_presets(update: Any) -> None:
    for factorize in ({"rank": 9, "update": update}, FactorizeParams(rank=9, update=update)):
        found = IntegrateParams(preset="default", factorize=factorize).factorize
        assert found.update == Multiplicative(constant=1)
        assert (found.alpha, found.start, found.rank) == (0, "uniform", 9)


def test_coordinate_descent_in_place_of_the_papers_update() -> None:
    given = {"alpha": 0.0, "update": {"kind": "coordinate"}}
    found = IntegrateParams(preset="paper", factorize=given).factorize
    assert found == FactorizeParams(alpha=0, update=CoordinateDescent())
    assert (found.rank, found.max_iter) == (20, 200)


def test_one_field_of_the_presets_own_method() -> None:
    wanted = FactorizeParams(update=Multiplicative(constant=2))
    for update in ({"constant": 2}, {"kind": "multiplicative", "constant": 2}, wanted.update):
        found = IntegrateParams(preset="paper", factorize={"update": update}).factorize
        assert found == wanted


@pytest.mark.parametrize(
    "given",
    [
        {"preset": "paper", "factorize": {"update": {"kind": "coordinate"}}},
        {"preset": "default", "factorize": {"alpha": 0.5}},
        {"preset": "default", "factorize": FactorizeParams(alpha=1.0)},
    ],
)
def test_orthogonality_with_coordinate_descent_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="alpha needs the multiplicative update"):
        IntegrateParams(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"presets": "paper"},
        {"preset": "published"},
        {"factorize": {"ranks": 3}},
        {"factorize": {"update": {"kind": "coordinate", "constant": 1}}},
        {"factorize": {"update": {"kind": "newton"}}},
        {"factorize": {"rank": -1}},
        {"weights": {"temperature": -1}},
        {"network": {"held_out": 1}},
    ],
)
def test_strange_fields_and_values_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        IntegrateParams(**given)


@pytest.mark.parametrize(
    "params",
    [
        IntegrateParams(preset="paper"),
        IntegrateParams(preset="default"),
        IntegrateParams(
            preset="paper", factorize={"rank": 3, "update": Multiplicative(constant=2)}
        ),
        IntegrateParams(
            factorize={"rank": 5, "update": {"kind": "multiplicative"}}, network={"hidden": ()}
        ),
    ],
)
def test_json_and_back(params: IntegrateParams) -> None:
    assert IntegrateParams.model_validate_json(params.model_dump_json()) == params
    assert IntegrateParams.model_validate(params.model_dump()) == params


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"features": {"standardize": False}}, "'singular' needs features.standardize"),
        (
            {"preset": "paper", "reference_batch": "donor"},
            "reference_batch needs features.standardize",
        ),
        ({"preset": "paper", "canonical": {"share": 0.5}}, "canonical maps need"),
        ({"preset": "paper", "transcriptome": {"share": 0.5}}, "canonical maps need"),
        ({"preset": "paper", "factorize": {"rank": 0}}, "needs the update 'singular'"),
        ({"factorize": {"update": {"kind": "coordinate"}}}, "needs the update 'singular'"),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        IntegrateParams(**given)


def test_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        IntegrateParams().preset = "paper"
