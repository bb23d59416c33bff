"""Everything that decides an integration, declared once."""

from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field, model_validator

from napari_gluer.integration.presets import PRESETS, explicit, merged
from napari_gluer.integration.quality import QualityParams
from napari_gluer.params import Params


class FeatureParams(Params):
    """What the factorisation sees of each data set."""

    standardize: bool = False
    """Give every feature mean 0 and variance 1 within each data set before factorising."""

    max_features: Annotated[int, Ge(0), Le(100_000)] = 0
    """Use at most this many linked features, those that vary most in both; 0 uses all."""

    only: tuple[str, ...] = ()
    """Link only these features; empty links all that cells and reference share."""

    without: tuple[str, ...] = ()
    """Features that do not link, though both sides have them."""

    least_detected: Annotated[float, Ge(0), Le(1)] = 0.0
    """Leave out features whose genes fewer than this share of the reference cells express: their
    silence says nothing of the cells; 0 keeps all."""

    least_linked: Annotated[int, Ge(1), Le(100_000)] = 1
    """Cells in which fewer linked features are above 0 are unmatched: they cannot be placed."""


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


class SingularVectors(Params):
    """The best factors of standardised values in one step: H of 0 or more, one G of both signs."""

    kind: Literal["singular"] = "singular"
    """Name of the method in stored parameters."""


class FactorizeParams(Params):
    """Joint factorisation of reference and cells; the defaults are the paper's."""

    rank: Annotated[int, Ge(0), Le(500)] = 20
    """Number of factors, at most as many as features link where they start from singular vectors.
    0 chooses: up to 30 features all, else those that stand out from independent features, 20 to
    50."""

    alpha: Annotated[float, Ge(0)] = 1.0
    """Weight of the orthogonality term."""

    max_iter: Annotated[int, Ge(1), Le(100_000)] = 200
    """Largest number of iterations."""

    tolerance: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Stop when the loss falls by less than this share in an iteration; 0 never stops early."""

    start: Literal["uniform", "nndsvd"] = "uniform"
    """Factors start as random numbers on [0, 1], or from the singular vectors (NNDSVD)."""

    update: Annotated[
        Multiplicative | CoordinateDescent | SingularVectors, Field(discriminator="kind")
    ] = Multiplicative()
    """How the factors are found."""

    @model_validator(mode="after")
    def _orthogonality_needs_multiplicative(self) -> "FactorizeParams":
        if self.alpha > 0 and not isinstance(self.update, Multiplicative):
            raise ValueError("alpha needs the multiplicative update; use alpha=0 with this one")
        if not self.rank and not isinstance(self.update, SingularVectors):
            raise ValueError("a rank of 0 (chosen from the data) needs the update 'singular'")
        return self


class AnchorParams(Params):
    """Mutual nearest neighbours between reference and cells."""

    n_neighbors: Annotated[int, Ge(1), Le(1000)] = 30
    """Two cells are a pair when each is among this many nearest of the other, in factor space."""

    confirm_neighbors: Annotated[int, Ge(0), Le(1000)] = 50
    """Keep a pair only if also mutual among this many nearest by the features; 0 keeps all."""

    max_partners: Annotated[int, Ge(1), Le(1000)] = 3
    """Each cell keeps this many of its closest partners, on either side."""

    largest_share: Annotated[float, Gt(0), Le(1)] = 1.0
    """Search at most this share of the smaller side, though 10 at least: in few cells the 60
    nearest are not near."""

    max_cells: Annotated[int, Ge(0), Le(10_000_000)] = 0
    """Seek them among at most this many cells of either side, drawn by the seed: the maps that
    are learnt from them need no more; 0 takes all."""


class TranscriptomeParams(Params):
    """Where each cell lies in the reference's whole transcriptome, as its linked features tell."""

    share: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Share of the co-embedding; where shares are chosen from the data, the largest one tried."""

    components: Annotated[int, Ge(2), Le(200)] = 30
    """Principal components of the reference that the linked features are to tell."""

    genes: Annotated[int, Ge(10), Le(100_000)] = 2000
    """Most variable genes of the reference that the components are made of."""

    times_richer: Annotated[float, Ge(1), Le(1000)] = 8.0
    """Used only where the reference has this many times as many genes as link."""


class CanonicalParams(Params):
    """The linear map of both sides that brings anchors together."""

    share: Annotated[float, Ge(0), Le(1)] = 0.0
    """How much of the factors is mapped; where shares are chosen from the data, the largest one
    tried."""

    rounds: Annotated[int, Ge(1), Le(20)] = 2
    """Anchors are sought anew in the mapped space this many times."""

    ridge: Annotated[float, Gt(0), Le(100)] = 0.5
    """How firmly the map is held near the factors as they are, in units of their mean variance."""


class ChoiceParams(Params):
    """Choice of the shares by linked features that are held out and predicted across."""

    folds: Annotated[int, Ge(0), Le(50)] = 0
    """Groups of features, each held out once; 0 takes the shares as given."""

    max_cells: Annotated[int, Ge(100), Le(100_000)] = 1000
    """Cells of either side that it is tried on."""

    n_neighbors: Annotated[int, Ge(1), Le(500)] = 15
    """Neighbours on the other side whose mean predicts a held-out feature."""

    standard_errors: Annotated[float, Ge(0), Le(10)] = 1.0
    """More of the linear map is taken if it predicts no worse than the best by this many standard
    errors over the features."""


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

    average_partners: bool = False
    """Train each cell on the mean of its partners, which errs less than any one of them."""

    match_distributions: Annotated[float, Ge(0), Le(1000)] = 0.0
    """Weight of a sliced-Wasserstein term that keeps the mapped anchors as spread out as the
    reference cells they are paired with."""


class WeightParams(Params):
    """How a cell's nearest reference cells are weighed."""

    n_neighbors: Annotated[int, Ge(1), Le(1000)] = 20
    """Reference cells that a cell draws on."""

    temperature: Annotated[float, Ge(0), Le(1000)] = 1.0
    """Weights are softmax(−distance / temperature): smaller trusts the nearest more. 0 takes
    exp(−(distance / median)²), the median being over the cell's own neighbours."""

    largest_share: Annotated[float, Gt(0), Le(1)] = 1.0
    """Draw on at most this share of the usable reference cells, though on 10 at least."""


class AbsenceParams(Params):
    """Cells whose type the reference lacks, called unmatched where that can be told."""

    label_column: str = ""
    """Column of the reference's obs that holds types; empty takes the first with a usual name
    (cell_type, celltype, annotation, …)."""

    max_cells: Annotated[int, Ge(0), Le(100_000)] = 0
    """Types are left out on trial among this many cells of either side; 0 does not look."""

    least_auroc: Annotated[float, Ge(0.5), Le(1)] = 0.85
    """Cells are called only if every type left out was told from the others at least this well."""

    n_neighbors: Annotated[int, Ge(1), Le(1000)] = 15
    """A cell's own nearest cells, which must be absent too."""

    majority: Annotated[float, Ge(0), Le(1)] = 0.66
    """Share of them that must be."""


class IntegrateParams(Params):
    """Everything that decides an integration.

    ``preset="paper"`` is GLUER as published (doi:10.1101/2021.01.25.427845; where the paper is
    silent, as released). Fields that are given win over the preset, also single ones of a part:
    ``IntegrateParams(preset="paper", factorize={"rank": 30})``.
    """

    preset: Literal["default", "paper"] = "default"
    """Where all other values start: the method built here, or GLUER as published
    ("paper")."""

    quality: QualityParams = QualityParams()
    """Which reference cells have a say."""

    features: FeatureParams = FeatureParams()
    """What the factorisation sees."""

    factorize: FactorizeParams = FactorizeParams()
    """Joint factorisation."""

    transcriptome: TranscriptomeParams = TranscriptomeParams()
    """What the linked features tell of the reference's other genes."""

    anchors: AnchorParams = AnchorParams()
    """Mutual nearest neighbours."""

    canonical: CanonicalParams = CanonicalParams()
    """The linear map."""

    choice: ChoiceParams = ChoiceParams()
    """How the shares of both are chosen."""

    network: NetworkParams = NetworkParams()
    """The map from cells to reference."""

    weights: WeightParams = WeightParams()
    """From neighbours to imputed values."""

    absence: AbsenceParams = AbsenceParams()
    """Which cells the reference has no counterpart for."""

    reference_batch: str = ""
    """Column of the reference's obs that names its batches: each is standardised on its own."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where factors, neighbours and network are computed; "auto" takes a GPU if there is one."""

    @model_validator(mode="after")
    def _parts_fit(self) -> "IntegrateParams":
        if not self.features.standardize:
            if isinstance(self.factorize.update, SingularVectors):
                raise ValueError("the update 'singular' needs features.standardize")
            if self.reference_batch:
                raise ValueError("reference_batch needs features.standardize")
            if self.transcriptome.share or self.canonical.share:
                raise ValueError("transcriptome and canonical maps need features.standardize")
        return self

    @model_validator(mode="before")
    @classmethod
    def _preset_under_given(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        preset = PRESETS.get(given.get("preset", "default"), {})
        return merged(preset, {name: explicit(value) for name, value in given.items()})
