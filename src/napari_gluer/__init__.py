"""napari-gluer: paint genes that were never imaged onto multiplexed tissue images.

The public names are loaded on first use: importing this package loads no Qt, napari, torch,
scanpy or anndata.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_gluer.analysis.accuracy import integration_accuracy, mixed_neighbours
    from napari_gluer.analysis.clustering import ClusterParams, cluster
    from napari_gluer.analysis.coembedding import CoembedParams, coembed
    from napari_gluer.errors import InputError
    from napari_gluer.image import MultiplexImage
    from napari_gluer.integration.factorize import Factors, joint_nmf
    from napari_gluer.integration.gluer import integrate
    from napari_gluer.integration.imputation import impute, transfer_labels
    from napari_gluer.integration.linking import linked_features
    from napari_gluer.integration.params import (
        AnchorParams,
        FactorizeParams,
        FeatureParams,
        IntegrateParams,
        NetworkParams,
        WeightParams,
    )
    from napari_gluer.io.cells import read_cells, write_cells, write_labels
    from napari_gluer.io.images import read_image, read_labels
    from napari_gluer.io.references import read_reference
    from napari_gluer.measurement.clean import CleanParams, clean
    from napari_gluer.measurement.intensities import measure
    from napari_gluer.painting import LabelIndex, LookUp, paint
    from napari_gluer.pipeline import Inputs, PipelineParams, run
    from napari_gluer.sample import SampleTissue, sample_tissue
    from napari_gluer.segmentation.discs import DiscParams, draw_cells
    from napari_gluer.segmentation.nuclei import SegmentParams, segment
    from napari_gluer.segmentation.watershed import Watershed
    from napari_gluer.track import Cancelled, Track

__version__ = "0.1.0"

_NAMES = {
    "analysis.accuracy": ("integration_accuracy", "mixed_neighbours"),
    "analysis.clustering": ("ClusterParams", "cluster"),
    "analysis.coembedding": ("CoembedParams", "coembed"),
    "errors": ("InputError",),
    "image": ("MultiplexImage",),
    "integration.factorize": ("Factors", "joint_nmf"),
    "integration.gluer": ("integrate",),
    "integration.imputation": ("impute", "transfer_labels"),
    "integration.linking": ("linked_features",),
    "integration.params": (
        "AnchorParams",
        "FactorizeParams",
        "FeatureParams",
        "IntegrateParams",
        "NetworkParams",
        "WeightParams",
    ),
    "io.cells": ("read_cells", "write_cells", "write_labels"),
    "io.images": ("read_image", "read_labels"),
    "io.references": ("read_reference",),
    "measurement.clean": ("CleanParams", "clean"),
    "measurement.intensities": ("measure",),
    "painting": ("LabelIndex", "LookUp", "paint"),
    "pipeline": ("Inputs", "PipelineParams", "run"),
    "sample": ("SampleTissue", "sample_tissue"),
    "segmentation.discs": ("DiscParams", "draw_cells"),
    "segmentation.nuclei": ("SegmentParams", "segment"),
    "segmentation.watershed": ("Watershed",),
    "track": ("Cancelled", "Track"),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "AnchorParams",
    "Cancelled",
    "CleanParams",
    "ClusterParams",
    "CoembedParams",
    "DiscParams",
    "FactorizeParams",
    "Factors",
    "FeatureParams",
    "InputError",
    "Inputs",
    "IntegrateParams",
    "LabelIndex",
    "LookUp",
    "MultiplexImage",
    "NetworkParams",
    "PipelineParams",
    "SampleTissue",
    "SegmentParams",
    "Track",
    "Watershed",
    "WeightParams",
    "clean",
    "cluster",
    "coembed",
    "draw_cells",
    "impute",
    "integrate",
    "integration_accuracy",
    "joint_nmf",
    "linked_features",
    "measure",
    "mixed_neighbours",
    "paint",
    "read_cells",
    "read_image",
    "read_labels",
    "read_reference",
    "run",
    "sample_tissue",
    "segment",
    "transfer_labels",
    "write_cells",
    "write_labels",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
