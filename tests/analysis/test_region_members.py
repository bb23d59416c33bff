import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from napari_gluer.analysis.region_members import pixel_positions, region_members
from napari_gluer.errors import InputError
from napari_gluer.polygons import Polygon, Regions


def square(y: float, x: float, side: float = 10, name: str = "") -> Polygon:
    ring = np.array([[y, x], [y, x + side], [y + side, x + side], [y + side, x]])
    return Polygon((ring,), name=name)


def table(unit: str = "px", scale: float = 1.0) -> AnnData:
    """Cells at x = 5, 15, …, 45 (pixels) and y = 25."""
    cells = AnnData(np.ones((5, 1), np.float32))
    cells.obs_names = list("abcde")
    cells.obsm["spatial"] = np.column_stack([np.arange(5) * 10 + 5, np.full(5, 25)]) * scale
    cells.uns["gluer"] = {"spatial_unit": unit}
    return cells


REGIONS = Regions(
    (square(20, 0, 20, "left"), square(20, 36, name="right"), square(20, 12, 12)),
    (square(22, 40, 8, "Ignore"),),
)


def test_cells_of_outlines() -> None:
    found = region_members(table(), REGIONS)
    assert found.names == ["left", "right", "region 3", "outside"]
    expected = np.array(
        [[1, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], bool
    )
    np.testing.assert_array_equal(found.members, expected)
    assert found.excluded.tolist() == [False] * 4 + [True]
    assert found.n_shared == 1
    assert found.note == "positions in pixels"


def test_outlines_of_one_name_are_one_region() -> None:
    found = region_members(table(), Regions((square(20, 0, name="a"), square(20, 30, name="a"))))
    assert found.names == ["a", "outside"]
    assert found.members[:, 0].tolist() == [True, False, False, True, False]


@pytest.mark.parametrize("unit", ["um", None])
def test_positions_in_micrometres_become_pixels(unit: str | None) -> None:
    cells = table(scale=0.5)
    cells.uns["gluer"] = {"spatial_unit": unit} if unit else {}
    found = region_members(cells, REGIONS, 0.5)
    np.testing.assert_array_equal(found.members, region_members(table(), REGIONS).members)
    assert found.note == "pixels of 0.5 µm"


def test_pixels_that_are_not_square() -> None:
    cells = table("um")
    cells.obsm["spatial"] = cells.obsm["spatial"] * [0.5, 2.0]
    places, note = pixel_positions(cells, (2.0, 0.5))
    np.testing.assert_allclose(places, table().obsm["spatial"][:, ::-1])
    assert note == "pixels of 2 × 0.5 µm"


def test_the_areas_tell_the_size_of_a_pixel() -> None:
    cells = table("um", 0.25)
    cells.obs["volume_px"] = [80, 100, 90, 33, 2000]
    cells.obs["area_um2"] = cells.obs["volume_px"] / 16
    places, note = pixel_positions(cells, None)
    np.testing.assert_allclose(places, table().obsm["spatial"][:, ::-1])
    assert "from the cells' areas" in note
    cells.obs["area_um2"] = [5, 100, 90, 33, 2000]
    with pytest.raises(InputError, match="pixel_size_um"):
        pixel_positions(cells, None)


def test_drawn_cells_are_where_they_were_drawn() -> None:
    cells = table("um")
    cells.obsm["spatial"][:, 1] *= -1
    drawn = {"origin": [-5.0, 15.0], "pixel_size": 0.5, "y_flipped": True}
    cells.uns["gluer"] |= {"drawn": drawn}
    places, note = pixel_positions(cells, None)
    np.testing.assert_allclose(places, np.column_stack([np.full(5, 20), [20, 40, 60, 80, 100]]))
    assert note == "pixels of the drawn cells"


def test_depth_does_not_count() -> None:
    cells = table()
    cells.obsm["spatial"] = np.column_stack([cells.obsm["spatial"], np.arange(5) * 100.0])
    np.testing.assert_array_equal(
        region_members(cells, REGIONS).members, region_members(table(), REGIONS).members
    )


def test_a_column_and_booleans() -> None:
    cells = table()
    cells.obs["part"] = pd.Categorical(["tumour", "stroma", "tumour", None, "stroma"])
    found = region_members(cells, "part")
    assert found.names == ["stroma", "tumour", "outside"]
    assert found.members[:, 1].tolist() == [True, False, True, False, False]
    chosen = np.array([True, False, False, True, False])
    assert region_members(cells, chosen).names == ["inside", "outside"]
    both = region_members(cells, {"one": chosen, "two": np.ones(5, bool)})
    assert both.names == ["one", "two"]
    assert both.n_shared == 2


def test_what_is_no_region() -> None:
    cells = table()
    far = Regions((square(500, 700, name="far"),))
    with pytest.raises(InputError, match="x 700 to 710, y 500 to 510 and the cells x 5 to 45"):
        region_members(cells, far)
    with pytest.raises(InputError, match="only areas to leave out"):
        region_members(cells, Regions((), (square(0, 0),)))
    with pytest.raises(InputError, match="No cell is in any of the regions: inside"):
        region_members(cells, np.zeros(5, bool))
    with pytest.raises(InputError, match="one yes or no"):
        region_members(cells, np.arange(5))
    with pytest.raises(InputError, match=r"shape \(4,\)"):
        region_members(cells, np.ones(4, bool))
    with pytest.raises(InputError, match="can be called 'outside'"):
        region_members(cells, {"outside": np.ones(5, bool)})
    with pytest.raises(InputError, match=r"no obs\['part'\]"):
        region_members(cells, "part")


def test_units_are_not_mixed() -> None:
    with pytest.raises(InputError, match="said to be in pixels"):
        region_members(table(), REGIONS, 0.5)
    with pytest.raises(InputError, match="positions are in µm and the regions in pixels"):
        region_members(table("um"), REGIONS)
    with pytest.raises(InputError, match="above 0 µm"):
        region_members(table("um"), REGIONS, 0.0)
    cells = table()
    cells.obsm["spatial"][2] = np.nan
    with pytest.raises(InputError, match="1 cells have no position"):
        region_members(cells, REGIONS)
    del cells.obsm["spatial"]
    with pytest.raises(InputError, match=r"no obsm\['spatial'\]"):
        region_members(cells, REGIONS)
