"""napari-gluer: paint genes that were never imaged onto multiplexed tissue images.

The public names are loaded on first use: importing this package loads no Qt, napari, torch,
scanpy or anndata.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_gluer.analysis.accuracy import (
        integration_accuracies,
        integration_accuracy,
        mixed_neighbours,
    )
    from napari_gluer.analysis.activity import ActivityParams, gene_activity
    from napari_gluer.analysis.cluster_numbers import ClusterNumberParams, cluster_numbers
    from napari_gluer.analysis.clustering import ClusterParams, cluster
    from napari_gluer.analysis.coembedding import CoembedParams, coembed
    from napari_gluer.analysis.comparing import compare_accuracies
    from napari_gluer.analysis.layouts import Tsne, Umap
    from napari_gluer.analysis.marker_genes import MarkerParams, marker_genes
    from napari_gluer.analysis.marker_lists import read_marker_lists
    from napari_gluer.analysis.naming import NameParams, name_clusters
    from napari_gluer.analysis.peak_links import PeakLinkParams, gene_peak_links
    from napari_gluer.analysis.regions import RegionComparison, RegionParams, compare_regions
    from napari_gluer.analysis.trajectory import TrajectoryParams, pseudotime_of, trajectory
    from napari_gluer.errors import InputError
    from napari_gluer.figures.accuracies import accuracy_figure
    from napari_gluer.figures.coverage import coverage_figure
    from napari_gluer.figures.dot_figure import dot_plot_figure
    from napari_gluer.figures.dots import dot_plot
    from napari_gluer.figures.embedding import embedding_figure
    from napari_gluer.figures.files import save_figure
    from napari_gluer.figures.genome import peak_links_figure
    from napari_gluer.figures.held_out import held_out_figure
    from napari_gluer.figures.params import FigureParams
    from napari_gluer.figures.reliability import reliability_figure
    from napari_gluer.figures.violins import violin_figure
    from napari_gluer.image import MultiplexImage
    from napari_gluer.integration.factorize import Factors, joint_nmf
    from napari_gluer.integration.gluer import integrate
    from napari_gluer.integration.imputation import impute
    from napari_gluer.integration.linking import linked_features, marker_links
    from napari_gluer.integration.params import (
        AnchorParams,
        FactorizeParams,
        FeatureParams,
        IntegrateParams,
        NetworkParams,
        WeightParams,
    )
    from napari_gluer.integration.quality import QualityParams
    from napari_gluer.integration.reverse import impute_onto_reference
    from napari_gluer.integration.transfer import transfer_labels
    from napari_gluer.io.annotation import read_annotation
    from napari_gluer.io.cells import read_cells, write_cells
    from napari_gluer.io.field_tables import read_field_tables
    from napari_gluer.io.geojson import read_regions
    from napari_gluer.io.images import ImageParams, read_image
    from napari_gluer.io.labels_files import LabelsFile, open_labels, read_labels
    from napari_gluer.io.labels_writing import write_labels
    from napari_gluer.io.references import read_reference
    from napari_gluer.io.spot_columns import SpotParams
    from napari_gluer.io.spots import read_spots
    from napari_gluer.io.subsampling import SubsampleParams, subsample
    from napari_gluer.markers import read_marker_table, with_marker_table
    from napari_gluer.measurement.clean import CleanParams, clean
    from napari_gluer.measurement.intensities import measure
    from napari_gluer.measurement.params import MeasureParams
    from napari_gluer.measurement.spots import AssignParams, assign_spots
    from napari_gluer.mixture_pictures import mixture_figure, save_mixtures
    from napari_gluer.painting import LabelIndex, LookUp, paint
    from napari_gluer.pipeline import Inputs, PipelineParams, run
    from napari_gluer.pipeline.exporting import ExportParams, export_imputed
    from napari_gluer.pipeline.reproducing import Reproduction, reproduce
    from napari_gluer.polygons import Polygon, Regions
    from napari_gluer.sample import SampleTissue, sample_tissue
    from napari_gluer.segmentation.cellpose import Cellpose
    from napari_gluer.segmentation.discs import DiscParams, draw_cells
    from napari_gluer.segmentation.instanseg import InstanSeg
    from napari_gluer.segmentation.nuclei import SegmentParams, segment, segment_nuclei_and_cells
    from napari_gluer.segmentation.params import Expansion, Membrane, Watershed
    from napari_gluer.tiles import TileParams
    from napari_gluer.track import Cancelled, Track
    from napari_gluer.trust.explaining import CellExplanation, Explainer, explain_cell
    from napari_gluer.trust.held_out import GeneValidation, validate_genes
    from napari_gluer.trust.intervals import interval_coverage, prediction_intervals
    from napari_gluer.trust.null_run import NullRun, null_run
    from napari_gluer.trust.params import ReportParams, ValidateParams
    from napari_gluer.trust.reliability import gene_reliability
    from napari_gluer.trust.report import ValidationReport, validation_report

__version__ = "0.1.0"

_NAMES = {
    "analysis.accuracy": (
        "integration_accuracies",
        "integration_accuracy",
        "mixed_neighbours",
    ),
    "analysis.activity": (
        "ActivityParams",
        "gene_activity",
    ),
    "analysis.cluster_numbers": (
        "ClusterNumberParams",
        "cluster_numbers",
    ),
    "analysis.clustering": (
        "ClusterParams",
        "cluster",
    ),
    "analysis.coembedding": (
        "CoembedParams",
        "coembed",
    ),
    "analysis.comparing": ("compare_accuracies",),
    "analysis.layouts": (
        "Tsne",
        "Umap",
    ),
    "analysis.marker_genes": (
        "MarkerParams",
        "marker_genes",
    ),
    "analysis.marker_lists": ("read_marker_lists",),
    "analysis.naming": (
        "NameParams",
        "name_clusters",
    ),
    "analysis.peak_links": (
        "PeakLinkParams",
        "gene_peak_links",
    ),
    "analysis.regions": (
        "RegionComparison",
        "RegionParams",
        "compare_regions",
    ),
    "analysis.trajectory": (
        "TrajectoryParams",
        "pseudotime_of",
        "trajectory",
    ),
    "errors": ("InputError",),
    "figures.accuracies": ("accuracy_figure",),
    "figures.coverage": ("coverage_figure",),
    "figures.dot_figure": ("dot_plot_figure",),
    "figures.dots": ("dot_plot",),
    "figures.embedding": ("embedding_figure",),
    "figures.files": ("save_figure",),
    "figures.genome": ("peak_links_figure",),
    "figures.held_out": ("held_out_figure",),
    "figures.params": ("FigureParams",),
    "figures.reliability": ("reliability_figure",),
    "figures.violins": ("violin_figure",),
    "image": ("MultiplexImage",),
    "integration.factorize": (
        "Factors",
        "joint_nmf",
    ),
    "integration.gluer": ("integrate",),
    "integration.imputation": ("impute",),
    "integration.linking": (
        "linked_features",
        "marker_links",
    ),
    "integration.params": (
        "AnchorParams",
        "FactorizeParams",
        "FeatureParams",
        "IntegrateParams",
        "NetworkParams",
        "WeightParams",
    ),
    "integration.quality": ("QualityParams",),
    "integration.reverse": ("impute_onto_reference",),
    "integration.transfer": ("transfer_labels",),
    "io.annotation": ("read_annotation",),
    "io.cells": (
        "read_cells",
        "write_cells",
    ),
    "io.field_tables": ("read_field_tables",),
    "io.geojson": ("read_regions",),
    "io.images": (
        "ImageParams",
        "read_image",
    ),
    "io.labels_files": (
        "LabelsFile",
        "open_labels",
        "read_labels",
    ),
    "io.labels_writing": ("write_labels",),
    "io.references": ("read_reference",),
    "io.spot_columns": ("SpotParams",),
    "io.spots": ("read_spots",),
    "io.subsampling": (
        "SubsampleParams",
        "subsample",
    ),
    "markers": (
        "read_marker_table",
        "with_marker_table",
    ),
    "measurement.clean": (
        "CleanParams",
        "clean",
    ),
    "measurement.intensities": ("measure",),
    "measurement.params": ("MeasureParams",),
    "measurement.spots": (
        "AssignParams",
        "assign_spots",
    ),
    "mixture_pictures": (
        "mixture_figure",
        "save_mixtures",
    ),
    "painting": (
        "LabelIndex",
        "LookUp",
        "paint",
    ),
    "pipeline": (
        "Inputs",
        "PipelineParams",
        "run",
    ),
    "pipeline.exporting": (
        "ExportParams",
        "export_imputed",
    ),
    "pipeline.reproducing": (
        "Reproduction",
        "reproduce",
    ),
    "polygons": (
        "Polygon",
        "Regions",
    ),
    "sample": (
        "SampleTissue",
        "sample_tissue",
    ),
    "segmentation.cellpose": ("Cellpose",),
    "segmentation.discs": (
        "DiscParams",
        "draw_cells",
    ),
    "segmentation.instanseg": ("InstanSeg",),
    "segmentation.nuclei": (
        "SegmentParams",
        "segment",
        "segment_nuclei_and_cells",
    ),
    "segmentation.params": (
        "Expansion",
        "Membrane",
        "Watershed",
    ),
    "tiles": ("TileParams",),
    "track": (
        "Cancelled",
        "Track",
    ),
    "trust.explaining": (
        "CellExplanation",
        "Explainer",
        "explain_cell",
    ),
    "trust.held_out": (
        "GeneValidation",
        "validate_genes",
    ),
    "trust.intervals": (
        "interval_coverage",
        "prediction_intervals",
    ),
    "trust.null_run": (
        "NullRun",
        "null_run",
    ),
    "trust.params": (
        "ReportParams",
        "ValidateParams",
    ),
    "trust.reliability": ("gene_reliability",),
    "trust.report": (
        "ValidationReport",
        "validation_report",
    ),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "ActivityParams",
    "AnchorParams",
    "AssignParams",
    "Cancelled",
    "CellExplanation",
    "Cellpose",
    "CleanParams",
    "ClusterNumberParams",
    "ClusterParams",
    "CoembedParams",
    "DiscParams",
    "Expansion",
    "Explainer",
    "ExportParams",
    "FactorizeParams",
    "Factors",
    "FeatureParams",
    "FigureParams",
    "GeneValidation",
    "ImageParams",
    "InputError",
    "Inputs",
    "InstanSeg",
    "IntegrateParams",
    "LabelIndex",
    "LabelsFile",
    "LookUp",
    "MarkerParams",
    "MeasureParams",
    "Membrane",
    "MultiplexImage",
    "NameParams",
    "NetworkParams",
    "NullRun",
    "PeakLinkParams",
    "PipelineParams",
    "Polygon",
    "QualityParams",
    "RegionComparison",
    "RegionParams",
    "Regions",
    "ReportParams",
    "Reproduction",
    "SampleTissue",
    "SegmentParams",
    "SpotParams",
    "SubsampleParams",
    "TileParams",
    "Track",
    "TrajectoryParams",
    "Tsne",
    "Umap",
    "ValidateParams",
    "ValidationReport",
    "Watershed",
    "WeightParams",
    "accuracy_figure",
    "assign_spots",
    "clean",
    "cluster",
    "cluster_numbers",
    "coembed",
    "compare_accuracies",
    "compare_regions",
    "coverage_figure",
    "dot_plot",
    "dot_plot_figure",
    "draw_cells",
    "embedding_figure",
    "explain_cell",
    "export_imputed",
    "gene_activity",
    "gene_peak_links",
    "gene_reliability",
    "held_out_figure",
    "impute",
    "impute_onto_reference",
    "integrate",
    "integration_accuracies",
    "integration_accuracy",
    "interval_coverage",
    "joint_nmf",
    "linked_features",
    "marker_genes",
    "marker_links",
    "measure",
    "mixed_neighbours",
    "mixture_figure",
    "name_clusters",
    "null_run",
    "open_labels",
    "paint",
    "peak_links_figure",
    "prediction_intervals",
    "pseudotime_of",
    "read_annotation",
    "read_cells",
    "read_field_tables",
    "read_image",
    "read_labels",
    "read_marker_lists",
    "read_marker_table",
    "read_reference",
    "read_regions",
    "read_spots",
    "reliability_figure",
    "reproduce",
    "run",
    "sample_tissue",
    "save_figure",
    "save_mixtures",
    "segment",
    "segment_nuclei_and_cells",
    "subsample",
    "trajectory",
    "transfer_labels",
    "validate_genes",
    "validation_report",
    "violin_figure",
    "with_marker_table",
    "write_cells",
    "write_labels",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
