"""Everything that decides an integration, declared once."""

from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field, model_validator

from napari_gluer.params import Params


class FeatureParams(Params):
    """What the factorisation sees of each data set."""

    standardize: bool = False
    """Give every feature mean 0 and variance 1 within each data set before factorising."""

    denoise_rank: Annotated[int, Ge(0), Le(500)] = 0
    """Keep this many joint singular vectors of the standardised values; 0 keeps the values."""

    max_features: Annotated[int, Ge(0), Le(100_000)] = 0
    """Use at most this many linked features, those that vary most in both; 0 uses all."""

    smooth_reference: Annotated[int, Ge(0), Le(500)] = 0
    """Replace each reference cell's features by the mean over this many cells with a like
    transcriptome: transcripts drop out where protein does not; 0 leaves them."""

    smooth_up_to: Annotated[int, Ge(0), Le(100_000)] = 100
    """Smooth only where at most this many features link and the reference has ten times as many
    genes, as with antibodies; between gene-rich data smoothing blurs more than it adds."""

    least_detected: Annotated[float, Ge(0), Le(1)] = 0.0
    """Leave out features whose genes fewer than this share of the reference cells express: their
    silence says nothing of the cells; 0 keeps all."""


class Multiplicative(Params):
    """The multiplicative update that the paper prints."""

    kind: Literal["multiplicative"] = "multiplicative"
    """Name of the method in stored parameters."""

    constant: Literal[1, 2] = 1
    """Factor of the orthogonality term in the numerator: 1 as printed, 2 as the gradient asks."""


class CoordinateDescent(Params):
    """Exact update of one factor at a time (HALS); faster, without an orthogonality term."""

    kind: Literal["coordinate"] = "coordinate"
    """Name of the method in stored parameters."""


class FactorizeParams(Params):
    """Joint non-negative factorisation of reference and cells; the defaults are the paper's."""

    rank: Annotated[int, Ge(1), Le(500)] = 20
    """Number of factors. A start from singular vectors has at most as many as features link."""

    alpha: Annotated[float, Ge(0)] = 1.0
    """Weight of the orthogonality term."""

    max_iter: Annotated[int, Ge(1), Le(100_000)] = 200
    """Largest number of iterations."""

    tolerance: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Stop when the loss falls by less than this share in an iteration; 0 never stops early."""

    start: Literal["uniform", "nndsvd"] = "uniform"
    """Factors start as random numbers on [0, 1], or from the singular vectors (NNDSVD)."""

    update: Annotated[Multiplicative | CoordinateDescent, Field(discriminator="kind")] = (
        Multiplicative()
    )
    """How the factors are improved."""

    @model_validator(mode="after")
    def _orthogonality_needs_multiplicative(self) -> "FactorizeParams":
        if self.alpha > 0 and isinstance(self.update, CoordinateDescent):
            raise ValueError("alpha needs the multiplicative update; use alpha=0 with coordinates")
        return self


class AnchorParams(Params):
    """Mutual nearest neighbours between reference and cells."""

    n_neighbors: Annotated[int, Ge(1), Le(1000)] = 30
    """Two cells are a pair when each is among this many nearest of the other, in factor space."""

    confirm_neighbors: Annotated[int, Ge(0), Le(1000)] = 50
    """Keep a pair only if also mutual among this many nearest by the features; 0 keeps all."""

    max_partners: Annotated[int, Ge(1), Le(1000)] = 3
    """Each cell keeps this many of its closest partners, on either side."""


class NetworkParams(Params):
    """The network that maps the factors of the cells onto those of the reference."""

    hidden: tuple[Annotated[int, Ge(1), Le(100_000)], ...] = (200, 100, 50, 25, 50, 100, 200)
    """Widths of the hidden layers."""

    residual: bool = False
    """Learn the difference from doing nothing; such a map cannot collapse at the start."""

    learning_rate: Annotated[float, Gt(0), Le(1)] = 1e-4
    """Step size of Adam."""

    batch_size: Annotated[int, Ge(1), Le(100_000)] = 32
    """Pairs in a training step."""

    max_epochs: Annotated[int, Ge(1), Le(100_000)] = 500
    """Largest number of passes over the pairs."""

    held_out: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Share of the pairs that is not trained on."""

    patience: Annotated[int, Ge(0), Le(100_000)] = 0
    """Stop after this many epochs without progress on the held-out pairs and keep the best
    weights; 0 trains to the end and keeps the last."""

    match_distributions: Annotated[float, Ge(0), Le(1000)] = 0.0
    """Weight of a sliced-Wasserstein term that keeps the mapped anchors as spread out as the
    reference cells they are paired with."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "cpu"
    """Where the network trains; "auto" prefers a GPU."""


class WeightParams(Params):
    """How a cell's nearest reference cells are weighed."""

    n_neighbors: Annotated[int, Ge(1), Le(1000)] = 20
    """Reference cells that a cell draws on."""

    temperature: Annotated[float, Gt(0), Le(1000)] = 1.0
    """Weights are softmax(−distance / temperature): smaller trusts the nearest more."""


_PRESETS: dict[str, dict[str, Any]] = {
    # the classes above hold the published values
    "paper": {"factorize": {"update": {"kind": "multiplicative"}}},
    "default": {
        "features": {
            "standardize": True,
            "denoise_rank": 50,
            "max_features": 3000,
            "smooth_reference": 10,
            "least_detected": 0.01,
        },
        "factorize": {
            "rank": 50,
            "alpha": 0.0,
            "tolerance": 1e-4,
            "start": "nndsvd",
            "update": {"kind": "coordinate"},
        },
        "anchors": {"n_neighbors": 30, "confirm_neighbors": 0, "max_partners": 10},
        "network": {
            "residual": True,
            "learning_rate": 1e-3,
            "batch_size": 512,
            "max_epochs": 60,
            "patience": 5,
            "match_distributions": 3.0,
        },
        "weights": {"n_neighbors": 40, "temperature": 0.3},
    },
}


class IntegrateParams(Params):
    """Everything that decides an integration.

    ``preset="paper"`` is GLUER as published (doi:10.1101/2021.01.25.427845; where the paper is
    silent, as released). Fields that are given win over the preset, also single ones of a part:
    ``IntegrateParams(preset="paper", factorize={"rank": 30})``.
    """

    preset: Literal["default", "paper"] = "default"
    """Where all other values start: the method built here, or GLUER as published.
    docs/parameters.md lists the values of both."""

    features: FeatureParams = FeatureParams()
    """What the factorisation sees."""

    factorize: FactorizeParams = FactorizeParams()
    """Joint factorisation."""

    anchors: AnchorParams = AnchorParams()
    """Mutual nearest neighbours."""

    network: NetworkParams = NetworkParams()
    """The map from cells to reference."""

    weights: WeightParams = WeightParams()
    """From neighbours to imputed values."""

    @model_validator(mode="before")
    @classmethod
    def _preset_under_given(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        preset = _PRESETS.get(given.get("preset", "default"), {})
        return _merged(preset, {name: _explicit(value) for name, value in given.items()})


def _explicit(value: Any) -> Any:
    """The fields of `value` that were given, as nested dictionaries."""
    if not isinstance(value, Params):
        return value
    kind = {"kind": value.kind} if isinstance(value, Multiplicative | CoordinateDescent) else {}
    return kind | {name: _explicit(getattr(value, name)) for name in value.model_fields_set}


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` laid on `under`, part by part; a method of another kind replaces the whole."""
    merged = dict(under)
    for name, value in over.items():
        below = under.get(name)
        same_method = (
            isinstance(below, dict)
            and isinstance(value, dict)
            and (value.get("kind", below.get("kind")) == below.get("kind"))
        )
        merged[name] = _merged(below, value) if same_method else value  # type: ignore[arg-type]
    return merged
