import numpy as np
import pytest

from napari_gluer.errors import InputError
from napari_gluer.segmentation.scores import f1_score

TRUTH = np.array([[1, 1, 1, 0, 2, 2], [1, 1, 1, 0, 2, 2]])


def test_equal_up_to_numbering_scores_one() -> None:
    assert f1_score(np.where(TRUTH == 1, 900, TRUTH), TRUTH, 1.0) == 1.0


@pytest.mark.parametrize(("iou", "score"), [(0.5, 1.0), (2 / 3, 1.0), (0.67, 0.5)])
def test_threshold_is_inclusive(iou: float, score: float) -> None:
    found = TRUTH.copy()
    found[:, 2] = 0  # four of the six pixels of object 1 remain
    assert f1_score(found, TRUTH, iou) == score


def test_a_split_object_counts_once() -> None:
    found = TRUTH.copy()
    found[1, :3] = 3  # two halves, each with an IoU of one half
    assert f1_score(found, TRUTH, 0.5) == pytest.approx(2 * 2 / (3 + 2))


def test_matching_is_the_largest_not_the_greedy_one() -> None:
    # found 1 overlaps truth 1 (2/4) and truth 2 (2/4); found 2 only truth 1: both can be matched
    truth = np.array([[1, 1, 1, 2, 2, 2]])
    found = np.array([[2, 1, 1, 1, 1, 0]])
    assert f1_score(found, truth, 0.3) == pytest.approx(1.0)


def test_extra_and_missed_objects_lower_the_score() -> None:
    found = np.where(TRUTH == 2, 0, TRUTH)
    assert f1_score(found, TRUTH) == pytest.approx(2 / 3)
    assert f1_score(TRUTH, found) == pytest.approx(2 / 3)
    assert f1_score(np.zeros_like(TRUTH), TRUTH) == 0.0
    assert f1_score(np.zeros_like(TRUTH), np.zeros_like(TRUTH)) == 1.0


def test_shapes_must_agree() -> None:
    with pytest.raises(InputError, match=r"\(2, 6\).*\(6, 2\)"):
        f1_score(TRUTH, TRUTH.T)
