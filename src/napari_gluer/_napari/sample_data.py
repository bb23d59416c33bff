"""File ▸ Open Sample ▸ GLUER: the simulated tissue as layers."""

from functools import cache
from typing import TYPE_CHECKING, Any

import napari_gluer as ng
from napari_gluer._napari.attached import reference_metadata
from napari_gluer._napari.channel_layers import LayerData, image_layers
from napari_gluer._napari.jobs import while_waiting

if TYPE_CHECKING:
    from napari_gluer.sample import SampleTissue

_NAME = "simulated tissue"


def simulated_tissue() -> list[LayerData]:
    """Channels of a simulated tissue, its true masks, and a reference attached to them."""
    tissue = while_waiting("Drawing the simulated tissue …", _tissue)
    layers = image_layers(tissue.image, _NAME)
    place: dict[str, Any] = {
        name: layers[0][1][name] for name in ("scale", "units") if name in layers[0][1]
    }
    masks = {
        "name": f"true masks ({_NAME})",
        "metadata": reference_metadata(tissue.reference),
        "visible": False,
        **place,
    }
    return [*layers, (tissue.labels, masks, "labels")]


@cache
def _tissue() -> "SampleTissue":
    return ng.sample_tissue(0)
