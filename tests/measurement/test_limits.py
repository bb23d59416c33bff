"""Cells that regions leave out are counted, wherever that happens."""

import numpy as np
import pytest

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.measurement.intensities import measure
from napari_gluer.measurement.limits import cells_inside, count_outside
from napari_gluer.polygons import Polygon, Regions

LEFT = Regions((Polygon((np.array([[-1, -1], [-1, 10.5], [9, 10.5], [9, -1]]),)),))


def test_centroids_decide_and_z_does_not_count() -> None:
    flat = np.array([[2.0, 3.0], [2.0, 12.0]])
    assert cells_inside(LEFT, flat).tolist() == [True, False]
    assert cells_inside(LEFT, np.c_[[99, 99], flat]).tolist() == [True, False]
    assert cells_inside(None, flat).tolist() == [True, True]
    with pytest.raises(InputError, match="centroids of all 1 lie outside"):
        cells_inside(LEFT, flat[1:])


def test_cells_left_out_before_are_added_to_the_report() -> None:
    labels = np.zeros((8, 20), int)
    labels[2:5, 2:5], labels[2:5, 8:10], labels[2:5, 14:17] = 1, 2, 3
    pixels = np.ones((1, 8, 20))
    pixels[0, 3, 3] = np.nan
    cells = measure(MultiplexImage(pixels, ["CD3"]), labels, regions=LEFT)
    known = slots.info(cells)["measure"]
    assert known["outside_regions"] == 1
    assert known["outcome"] == (
        "2 cells × 1 channels; 1 cells outside the regions left out; "
        "NaN or infinite pixels left out of: CD3 1."
    )
    before = dict(known)
    count_outside(cells, 4)
    after = slots.info(cells)["measure"]
    assert after["outside_regions"] == 5
    assert after["outcome"] == known["outcome"].replace("1 cells outside", "5 cells outside")
    same = before.keys() - {"outside_regions", "outcome"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    count_outside(cells, 0)
    assert slots.info(cells)["measure"] == after
