import pytest

from napari_gluer.errors import InputError
from napari_gluer.io.choice import Choice, Series, chosen, chosen_time, described

SLIDE = Series("slide", "CYX", (4, 4000, 6000))
REDUCED = Series("", "CYX", (4, 1000, 1500))
MACRO = Series("macro", "YXS", (300, 500, 3), colours=True)
OVERVIEW = Series("overview", "YX", (400, 500))
SECTION = Series("section 2", "CYX", (4, 3000, 3100))


@pytest.mark.parametrize(
    ("series", "number"),
    [
        ([SLIDE], 0),
        ([MACRO, SLIDE], 1),
        ([SLIDE, REDUCED, MACRO], 0),
        ([REDUCED, SLIDE], 1),
        ([OVERVIEW, SLIDE], 1),
    ],
)
def test_what_is_unambiguous_is_taken(series: list[Series], number: int) -> None:
    assert chosen("a.tif", series, Choice()) == number


@pytest.mark.parametrize("series", [[SLIDE, SLIDE], [SLIDE, SECTION], [OVERVIEW, SECTION, SLIDE]])
def test_images_alike_are_listed_and_one_is_asked_for(series: list[Series]) -> None:
    with pytest.raises(InputError, match=r"2 images: .*\(4, 4000, 6000\).*series=0"):
        chosen("a.tif", series, Choice())


@pytest.mark.parametrize(("wanted", "number"), [(0, 0), (2, 2), ("2", 2), ("section 2", 2)])
def test_a_series_is_chosen_by_number_or_name(wanted: int | str, number: int) -> None:
    assert chosen("a.tif", [SLIDE, MACRO, SECTION], Choice(wanted)) == number


@pytest.mark.parametrize("wanted", [3, -1, "tumour", "1.5", ""])
def test_a_series_that_is_not_there_is_told_with_those_that_are(wanted: int | str) -> None:
    with pytest.raises(InputError, match=r"no series .*it has 0 'slide' CYX \(4, 4000, 6000\)"):
        chosen("a.tif", [SLIDE, MACRO, SECTION], Choice(wanted))


def test_a_name_that_two_have_chooses_none() -> None:
    with pytest.raises(InputError, match="no series 'slide'"):
        chosen("a.tif", [SLIDE, SLIDE], Choice("slide"))


def test_pictures_for_the_eye_open_only_when_asked_for() -> None:
    with pytest.raises(InputError, match=r"RGB picture.*series=0 opens"):
        chosen("a.tif", [MACRO], Choice())
    assert chosen("a.tif", [MACRO], Choice(0)) == 0
    with pytest.raises(InputError, match="holds no image"):
        chosen("a.tif", [], Choice())


def test_time_points_are_counted_from_0() -> None:
    assert chosen_time("a.tif", 1, Choice()) == 0
    assert chosen_time("a.tif", 5, Choice(time=4)) == 4
    for time in (5, -1):
        with pytest.raises(InputError, match=f"no time point {time}; it has 5"):
            chosen_time("a.tif", 5, Choice(time=time))
    with pytest.raises(InputError, match=r"5 time points.*time=0 to time=4"):
        chosen_time("a.tif", 5, Choice())


def test_a_long_list_is_cut() -> None:
    assert described([SLIDE] * 30).endswith("… (30 in all)")
