"""Settings of the built-in methods: how nuclei are found, and how they grow into cells."""

from typing import Annotated, Literal

from annotated_types import Ge, Le

from napari_gluer.params import Params


class Watershed(Params):
    """Bright nuclei on a darker ground, split where two of them meet."""

    kind: Literal["watershed"] = "watershed"

    nucleus_diameter: Annotated[float, Ge(0), Le(1000)] = 0.0
    """Diameter of a usual nucleus, in µm where the pixel size is known, else in pixels.
    0: estimated from the image."""

    background: Annotated[float, Ge(0), Le(50)] = 3.0
    """Window in which the ground is found and taken away, in nucleus diameters. 0: none is."""

    smoothing: Annotated[float, Ge(0), Le(1)] = 0.0
    """Gaussian blur against noise, in nucleus diameters. 0: as much as the noise asks for, at
    least 0.06."""

    threshold: Annotated[float, Ge(0.05), Le(5)] = 0.8
    """Factor on the threshold that Otsu's method finds: lower takes in dimmer nuclei. Below 1
    because it only has to keep the ground out; the local threshold finds the edges."""

    local_threshold: Annotated[float, Ge(0), Le(0.95)] = 0.65
    """A pixel must also reach this part of the brightest around it, on the square-root scale:
    higher cuts halos and tells touching nuclei apart, lower keeps dim neighbours of bright ones."""

    intensity_weight: Annotated[float, Ge(0), Le(10)] = 2.0
    """What brightness counts beside shape when touching nuclei are split. 0: shape alone."""

    split_depth: Annotated[float, Ge(0.001), Le(1)] = 0.04
    """Depth of the notch that parts two nuclei: lower splits more."""

    smallest: Annotated[float, Ge(0), Le(1)] = 0.05
    """Objects under this part of a usual nucleus's area (volume) are dropped."""


class Expansion(Params):
    """Nuclei grow evenly into cells and stop where two meet."""

    kind: Literal["expansion"] = "expansion"

    distance: Annotated[float, Ge(0), Le(100)] = 0.0
    """How far nuclei grow, in µm where the pixel size is known, else in pixels. 0: not at all."""


class Membrane(Params):
    """Nuclei grow into cells and are held up by bright membranes."""

    kind: Literal["membrane"] = "membrane"

    channels: tuple[str, ...] = ()
    """Channels that show membranes; each counts the same. Empty: all that are known by name
    (E-cadherin, Na/K-ATPase, β-catenin, CD45, …)."""

    reach: Annotated[float, Ge(0), Le(100)] = 10.0
    """How far nuclei grow where there is no membrane, in µm where the pixel size is known, else in
    pixels."""

    weight: Annotated[float, Ge(0), Le(100)] = 5.0
    """How much longer a way along bright membrane counts: the way is `1 + weight` times as long.
    0: membranes do not count."""


class ModelFile(Params):
    """What methods share that open a model of your own."""

    model: str = ""
    """Path of the model file; of InstanSeg the TorchScript file (``instanseg.pt``)."""

    overlap: Annotated[int, Ge(16), Le(1024)] = 96
    """Pixels that tiles overlap; at least two cells wide."""

    gpu: bool = False
    """Use the graphics processor."""
