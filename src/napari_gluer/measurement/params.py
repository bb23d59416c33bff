"""What is measured."""

from napari_gluer.params import Params


class MeasureParams(Params):
    """What is measured besides mean, size and centroid."""

    median: bool = False
    """Median of every channel, in `layers["median"]`. The image is then read twice."""

    sum: bool = False
    """Sum of every channel, in `layers["sum"]`."""

    std: bool = False
    """Standard deviation of every channel, in `layers["std"]`."""

    shape: bool = False
    """Length of the axes, extent and, in 2-D, eccentricity, orientation and perimeter."""

    bounding_box: bool = False
    """First and last pixel along every axis."""
