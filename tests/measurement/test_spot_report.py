"""What is kept and said of assigned spots."""

import json

import numpy as np
import pandas as pd
import pytest

from napari_gluer.measurement.agreement import Agreement
from napari_gluer.measurement.matching import Found
from napari_gluer.measurement.orientation import Orientation, Placement
from napari_gluer.measurement.spot_report import report

SPOTS = pd.DataFrame({"gene": ["A", "BLANK_1", "A", "NegControlProbe_2", "B"], "x": 0.0, "y": 0.0})
UNDER = np.array([7, 0, -1, 7, 9])
FOUND = Found(
    Placement(Orientation(flip_y=True), 10, 20), Agreement(0.8, 0.6, 0.9, 0.95), {"y flipped": 0.95}
)


def test_shares_by_hand() -> None:
    named = np.array([7, 3, 7, 7, 9])
    said = report(SPOTS, UNDER, named, FOUND, field="", z_ignored=False)
    assert said["spots"] == 5
    assert said["in_cells"] == pytest.approx(3 / 5)
    assert said["outside_cells"] == pytest.approx(2 / 5)
    assert said["on_labels"] == pytest.approx(4 / 5)
    assert said["agreeing"] == pytest.approx(3 / 4)  # the spot beside the labels does not count
    assert said["blanks"] == ["BLANK_1", "NegControlProbe_2"]
    assert (said["x0"], said["y0"], said["flip_y"], said["flip_x"]) == (10, 20, True, False)
    assert said["outcome"] == (
        "5 spots, 60.0% in cells; 20.0% beside the labels; laid y flipped, first pixel at x 10, "
        "y 20; 75.0% agree with the cells that the table names."
    )


def test_names_of_cells_agree_as_in_the_spots_looked_at() -> None:
    said = report(SPOTS, UNDER, None, FOUND, field="", z_ignored=False)
    assert said["agreeing"] == pytest.approx(0.9)


def test_fields_remarks_and_depth_are_said() -> None:
    found = Found(Placement(), Agreement(1, 0.6), checked=False, remark="not checked")
    said = report(SPOTS, UNDER[:3], None, found, field="12", z_ignored=True)
    assert "agreeing" not in said
    assert said["outcome"] == (
        "3 spots, 33.3% in cells; 33.3% beside the labels; of field of view 12 (2 spots of others "
        "left out); laid as given; not checked; z is not used, the labels have one plane."
    )


def test_all_is_json() -> None:
    said = report(SPOTS, UNDER, UNDER, FOUND, field="1", z_ignored=True)
    assert json.loads(json.dumps(said)) == said
