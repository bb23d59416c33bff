"""How spots lie is found, or doubted, on cells whose truth is known."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from napari_gluer.errors import InputError
from napari_gluer.measurement import matching
from napari_gluer.measurement.agreement import Patches, Sample
from napari_gluer.measurement.cell_places import cell_places
from napari_gluer.measurement.matching import Found, match_cells, match_shapes, thinned
from napari_gluer.measurement.orientation import Orientation, Placement, orientations

EVERY = [Orientation(*way) for way in product((False, True), repeat=3)]
OPEN = orientations("auto", "auto", "auto")
Lay = Callable[..., Any]


def sample_of(made: Any) -> Sample:
    columns = [made.spots[name].to_numpy() for name in ("x", "y", "cell")]
    return Sample(columns[0], columns[1], None, columns[2])


def find(made: Any, spots: Sample | None = None, **options: Any) -> Found:
    spots = sample_of(made) if spots is None else spots
    settings = {"origin": True, "least": 0.7} | options
    ways = settings.pop("ways", OPEN)
    return match_cells(spots, ways, Patches(made.labels), cell_places(made.labels), **settings)


@pytest.mark.parametrize("way", EVERY, ids=str)
def test_every_orientation_is_found(lay: Lay, way: Orientation) -> None:
    found = find(lay(way))
    assert found.placement == Placement(way)
    assert found.agreement.matched == 1
    assert found.agreement.agreeing == 1
    assert max(share for name, share in found.tried.items() if name != str(way)) < 0.5


@pytest.mark.parametrize("way", EVERY, ids=str)
@pytest.mark.parametrize("origin", [(4800, 3000), (-37.5, 12)])
def test_the_origin_is_found_with_every_orientation(
    lay: Lay, way: Orientation, origin: tuple[float, float]
) -> None:
    made = lay(way, x0=origin[0], y0=origin[1], wrong=0.05, seed=2)
    found = find(made)
    assert found.placement.orientation == way
    assert abs(found.placement.x0 - origin[0]) <= 0.5
    assert abs(found.placement.y0 - origin[1]) <= 0.5
    assert found.agreement.agreeing > 0.94


def test_a_crop_of_the_labels_is_placed(lay: Lay) -> None:
    made = lay(Orientation(flip_y=True))
    crop = replace(made, labels=np.ascontiguousarray(made.labels[10:70, 30:110]))
    found = find(crop)
    # rows count from the last: of 90 rows the 20 last are cut off
    assert found.placement == Placement(Orientation(flip_y=True), 30, 20)
    assert found.agreement.matched == 1


def test_the_origin_is_left_where_it_is_said_to_be(lay: Lay) -> None:
    made = lay(x0=25, y0=10)
    with pytest.raises(InputError, match="do not lie in the cells"):
        find(made, origin=False)


def test_as_given_is_kept_where_nothing_is_clearly_better(lay: Lay) -> None:
    found = find(lay(x0=0.3, y0=-0.2))
    assert found.placement == Placement()


def test_cells_of_another_field_are_refused_with_the_numbers(lay: Lay) -> None:
    made, other = lay(seed=1), lay(seed=4)
    with pytest.raises(InputError) as error:
        find(replace(made, labels=other.labels))
    text = str(error.value)
    assert "at best" in text
    assert "at least 70% are needed" in text
    for way in EVERY:
        assert str(way) in text
    assert text.count("%") >= 10


def square() -> np.ndarray:
    labels = np.zeros((60, 60), np.int32)
    labels[10:30, 10:30] = 4
    return labels


def test_orientations_that_agree_half_and_alike_are_doubted() -> None:
    labels = np.zeros((60, 60), np.int32)
    labels[:, :30], labels[:, 30:] = 1, 2
    x, y = np.random.default_rng(0).uniform(0, 59, (2, 4000))
    # rows tell the cells as well as columns do, and neither does so well
    cells = 1 + np.where(np.arange(4000) % 5 < 3, y >= 30, x < 30).astype(np.int64)
    with pytest.raises(InputError, match="two orientations nearly alike"):
        match_cells(
            Sample(x, y, None, cells),
            [Orientation(flip_x=True), Orientation(transposed=True)],
            Patches(labels),
            cell_places(labels),
            origin=False,
            least=0.5,
        )


def test_orientations_that_put_spots_in_the_same_cells_are_no_rivals() -> None:
    x, y = np.random.default_rng(0).uniform(100, 119, (2, 800))
    spots = Sample(x, y, None, np.full(800, 4))
    found = match_cells(
        spots, OPEN, Patches(square()), cell_places(square()), origin=True, least=0.7
    )
    assert found.agreement.matched > 0.98
    assert found.placement.orientation == Orientation()  # the first of eight


@pytest.mark.parametrize("flipped", [False, True])
def test_one_cell_in_its_place_is_no_reason_for_doubt(flipped: bool) -> None:
    x, y = np.random.default_rng(0).uniform(10, 29, (2, 800))
    spots = Sample(x, 59 - y if flipped else y, None, np.full(800, 4))
    places = cell_places(square())
    found = match_cells(spots, OPEN, Patches(square()), places, origin=True, least=0.7)
    assert found.placement == Placement(Orientation(flip_y=flipped))
    assert found.agreement.matched == 1


def test_names_of_cells_are_matched_by_their_spots(lay: Lay) -> None:
    way = Orientation(flip_x=True)
    made = lay(way)
    _, codes = np.unique(made.spots["cell"], return_inverse=True)
    shuffled = np.r_[0, np.random.default_rng(0).permutation(codes.max()) + 1][codes]
    spots = sample_of(made)
    named = Sample(spots.x, spots.y, None, shuffled, linked=True)
    found = find(made, named)
    assert found.placement == Placement(way)
    assert found.agreement.matched > 0.99


@pytest.mark.parametrize("way", EVERY, ids=str)
def test_without_names_the_shapes_decide(lay: Lay, way: Orientation) -> None:
    made = lay(way, seed=3)
    spots = sample_of(made)
    bare = Sample(spots.x, spots.y)
    found = match_shapes(bare, OPEN, Patches(made.labels), cell_places(made.labels))
    assert found.placement == Placement(way)
    assert found.checked
    assert found.remark == ""
    assert found.agreement.in_cells == pytest.approx((made.spots["cell"] > 0).mean())


def test_what_shapes_cannot_tell_is_said_and_left_as_given(lay: Lay) -> None:
    made = lay()
    x, y = np.random.default_rng(0).uniform(0, 89, (2, 3000))
    found = match_shapes(Sample(x, y), OPEN, Patches(made.labels), cell_places(made.labels))
    assert found.placement == Placement()
    assert not found.checked
    assert "could not be checked" in found.remark
    assert "by chance" in found.remark


def test_spots_beside_the_labels_are_refused_with_their_range(lay: Lay) -> None:
    made = lay(x0=5000)
    spots = sample_of(made)
    with pytest.raises(InputError, match=r"130 × 90 pixels .* x is 4999\..*as given: 0\.0%"):
        match_shapes(Sample(spots.x, spots.y), OPEN, Patches(made.labels), cell_places(made.labels))


def test_only_some_spots_are_looked_at_always_the_same(
    lay: Lay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "_LOOKED_AT", 500)
    made = lay(Orientation(flip_y=True), x0=40, y0=70, wrong=0.02)
    first, second = find(made), find(made)
    assert first == second
    assert first.placement.orientation == Orientation(flip_y=True)
    assert first.agreement.matched > 0.9


def test_thinned_keeps_the_order() -> None:
    spots = Sample(np.arange(100.0), np.arange(100.0), None, np.arange(100))
    few = thinned(spots, 10)
    assert len(few) == 10
    assert (np.diff(few.x) > 0).all()
    assert few.cells is not None
    np.testing.assert_array_equal(few.cells, few.x)
    assert thinned(spots, 100) is spots
