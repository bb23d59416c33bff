"""Which field of view labels are of."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from napari_gluer.errors import InputError
from napari_gluer.measurement.agreement import Patches, Sample
from napari_gluer.measurement.cell_places import cell_places
from napari_gluer.measurement.field_choice import choose_field, share_a_frame
from napari_gluer.measurement.matching import match_cells
from napari_gluer.measurement.orientation import Orientation, Placement, orientations

Lay = Callable[..., Any]
OPEN = orientations("auto", "auto", "auto")


def joined(parts: dict[int, Any]) -> tuple[Sample, np.ndarray]:
    spots = [part.spots for part in parts.values()]
    x, y, cells = (np.concatenate([one[name] for one in spots]) for name in ("x", "y", "cell"))
    fields = np.repeat(list(parts), [len(one) for one in spots])
    return Sample(x, y, None, cells), fields


def choose(labels: np.ndarray, spots: Sample, fields: np.ndarray) -> tuple[Any, Any]:
    places = cell_places(labels)
    match = partial(
        match_cells, ways=OPEN, patches=Patches(labels), places=places, origin=True, least=0.7
    )
    names, codes = np.unique(fields, return_inverse=True)
    texts = [str(name) for name in names]
    chosen, found = choose_field(spots, codes, texts, OPEN, places, match)
    return int(texts[chosen]), found


def test_the_field_of_the_labels_is_chosen_among_many(lay: Lay) -> None:
    way = Orientation(flip_y=True)
    parts = {seed: lay(way, x0=50, y0=9, seed=seed, n=1500) for seed in range(8)}
    spots, fields = joined(parts)
    for seed in (0, 5):
        field, found = choose(parts[seed].labels, spots, fields)
        assert field == seed
        assert found.placement == Placement(way, 50, 9)
        assert found.agreement.matched == 1


def test_labels_of_no_field_are_refused(lay: Lay) -> None:
    spots, fields = joined({seed: lay(seed=seed) for seed in (0, 1)})
    with pytest.raises(InputError, match=r"2 fields of view \(0, 1\) and none .*at best"):
        choose(lay(seed=9).labels, spots, fields)


def test_two_fields_that_fit_alike_are_asked_about(lay: Lay) -> None:
    spots, fields = joined({3: lay(seed=0), 4: lay(seed=0, wrong=0.01)})
    with pytest.raises(InputError, match=r"Several fields .*3: 100\.0%, 4: .*only_fov"):
        choose(lay(seed=0).labels, spots, fields)


def test_fields_beside_each_other_share_a_frame() -> None:
    random = np.random.default_rng(0)
    x, y = random.uniform(0, 100, (2, 4000))
    fields = np.repeat(np.arange(4), 1000)
    assert not share_a_frame(x, y, fields)
    assert share_a_frame(x + 100 * (fields % 2), y + 100 * (fields // 2), fields)
