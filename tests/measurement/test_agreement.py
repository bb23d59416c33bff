"""Shares of spots that agree, counted by hand."""

import numpy as np
import pytest
import zarr

from napari_gluer.measurement import agreement
from napari_gluer.measurement.agreement import Patches, Sample, judge
from napari_gluer.measurement.cell_places import cell_places
from napari_gluer.measurement.orientation import Orientation, Placement

LABELS = np.array(
    [
        [0, 0, 5, 5],
        [0, 0, 5, 5],
        [9, 9, 0, 0],
    ]
)
PLACES = cell_places(LABELS)


def sample(spots: list[tuple[float, float, int]], *, linked: bool = False) -> Sample:
    x, y, cells = (np.array(column) for column in zip(*spots, strict=True))
    return Sample(x.astype(float), y.astype(float), None, cells.astype(np.int64), linked)


def test_background_agrees_and_does_not_count_as_matched() -> None:
    spots = sample([(2, 0, 5), (0, 2, 9), (0, 0, 0), (3, 2, 0)])
    found = judge(spots, Placement(), Patches(LABELS), PLACES)
    assert (found.inside, found.in_cells, found.agreeing, found.matched) == (1, 0.5, 1, 1)


def test_both_ways_to_disagree_count() -> None:
    spots = sample([(2, 0, 5), (0, 0, 5), (0, 2, 0), (3, 1, 9), (1, 1, 0)])
    found = judge(spots, Placement(), Patches(LABELS), PLACES)
    assert found.agreeing == pytest.approx(2 / 5)
    assert found.matched == pytest.approx(1 / 4)
    assert found.in_cells == pytest.approx(3 / 5)


def test_spots_of_known_cells_beside_the_labels_count_against_a_placement() -> None:
    spots = sample([(2, 0, 5), (3, 0, 5), (7, 0, 5), (-2, 0, 5), (50, 50, 1234)])
    found = judge(spots, Placement(), Patches(LABELS), PLACES)
    assert found.inside == pytest.approx(2 / 5)
    assert found.agreeing == 1
    assert found.reached == pytest.approx(2 / 4)  # cell 1234 is not of these labels
    assert found.matched == 1
    assert found.score == pytest.approx(2 / 4)


def test_names_are_compared_by_the_spots_they_share() -> None:
    spots = [(2, 0, 70), (3, 0, 70), (2, 1, 70), (0, 2, 70), (1, 2, 80), (0, 2, 80), (0, 0, 0)]
    found = judge(sample(spots, linked=True), Placement(), Patches(LABELS), PLACES)
    assert found.agreeing == pytest.approx(6 / 7)
    assert found.matched == pytest.approx(5 / 6)


def test_two_names_in_one_label_do_not_both_match() -> None:
    spots = [(2, 0, 70), (3, 0, 70), (2, 1, 70), (3, 1, 80), (2, 0, 80)]
    found = judge(sample(spots, linked=True), Placement(), Patches(LABELS), PLACES)
    assert found.matched == pytest.approx(3 / 5)


def test_without_names_only_the_share_in_cells_is_known() -> None:
    spots = Sample(np.array([2.0, 0.0]), np.array([0.0, 0.0]))
    found = judge(spots, Placement(), Patches(LABELS), PLACES)
    assert (found.inside, found.in_cells) == (1, 0.5)
    assert np.isnan(found.matched)


def test_spots_have_planes_in_three_dimensions() -> None:
    stack = np.stack([LABELS, np.zeros_like(LABELS)])
    spots = Sample(np.array([2.0, 2.0, 2.0]), np.zeros(3), np.array([0, 1, 2]))
    np.testing.assert_array_equal(Patches(stack).found(spots, Placement()), [5, 0, -1])


def test_large_lazy_labels_are_looked_up_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "_WHOLE", 100)
    monkeypatch.setattr(agreement, "_PATCH_SIDE", 16)
    random = np.random.default_rng(0)
    labels = random.integers(0, 9, (200, 300)).astype(np.int32)
    spots = Sample(random.uniform(-10, 310, 5000), random.uniform(-10, 210, 5000))
    placement = Placement(Orientation(flip_y=True), 2, 3)
    everything = Patches(labels).found(spots, placement)
    parts = Patches(zarr.array(labels, chunks=(64, 64))).found(spots, placement)
    known = parts != -2
    assert 0.05 < known[parts != -1].mean() < 0.1  # 16 windows of 16 × 16 of 60,000 pixels
    np.testing.assert_array_equal(parts[known], everything[known])
    assert (everything[~known] >= 0).all()


def test_parts_lie_all_over_the_labels() -> None:
    keys = agreement._spread((5000, 8000))
    rows = sorted(key[0].start for key in keys)
    columns = sorted(key[1].start for key in keys)
    assert len(keys) == 16
    assert rows[0] < 600
    assert rows[-1] > 3000
    assert np.diff(columns).max() < 1000
    assert all(key[0].stop <= 5000 and key[1].stop <= 8000 for key in keys)
