"""A simulated tissue with known truth, made from real single-cell profiles without a download."""

from napari_gluer.sample.tissue import SampleTissue, sample_tissue

__all__ = ["SampleTissue", "sample_tissue"]
