"""What the presets of an integration set, and how fields that were given are laid on them."""

from typing import Any

from napari_gluer.params import Params

PRESETS: dict[str, dict[str, Any]] = {
    # the classes of params.py hold the published values
    "paper": {"factorize": {"update": {"kind": "multiplicative"}}},
    "default": {
        "quality": {"least_genes": 200, "most_mitochondrial": 0.25},
        "features": {
            "standardize": True,
            "max_features": 3000,
            "least_detected": 0.01,
        },
        "factorize": {"rank": 0, "alpha": 0.0, "update": {"kind": "singular"}},
        "transcriptome": {"share": 0.5},
        "anchors": {
            "n_neighbors": 60,
            "confirm_neighbors": 0,
            "max_partners": 20,
            "largest_share": 0.2,
            "max_cells": 20_000,
        },
        "canonical": {"share": 1.0},
        "choice": {"folds": 5},
        "network": {
            "hidden": (64, 32, 64),
            "residual": True,
            "learning_rate": 1e-3,
            "batch_size": 512,
            "max_epochs": 60,
            "patience": 5,
            "average_partners": True,
            "match_distributions": 3.0,
        },
        "weights": {"n_neighbors": 80, "temperature": 0.0, "largest_share": 0.1},
        "absence": {"max_cells": 2000},
    },
}


def explicit(value: Any) -> Any:
    """The fields of `value` that were given, as nested dictionaries."""
    if not isinstance(value, Params):
        return value
    # which of several methods it is counts as given, also where it is the default
    kind = {"kind": value.kind} if hasattr(value, "kind") else {}
    return kind | {name: explicit(getattr(value, name)) for name in value.model_fields_set}


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` laid on `under`, part by part; a method of another kind replaces the whole."""
    found = dict(under)
    for name, value in over.items():
        below = under.get(name)
        same_method = (
            isinstance(below, dict)
            and isinstance(value, dict)
            and (value.get("kind", below.get("kind")) == below.get("kind"))
        )
        found[name] = merged(below, value) if same_method else value  # type: ignore[arg-type]
    return found
