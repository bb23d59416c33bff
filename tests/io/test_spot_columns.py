"""Which columns of a table of spots are taken."""

import pytest

from napari_gluer.errors import InputError
from napari_gluer.io.spot_columns import SpotParams, guess_columns

XENIUM = "transcript_id,cell_id,overlaps_nucleus,feature_name,x_location,y_location,z_location,qv"
COSMX = "fov,cell_ID,x_global_px,y_global_px,x_local_px,y_local_px,z,target,CellComp"
MERSCOPE = ",barcode_id,global_x,global_y,global_z,x,y,fov,gene,transcript_id,cell_id"
STARFISH = "intensity,z,y,x,radius,features,target,distance,passes_thresholds,xc,yc,zc,cell_id"
HACKATHON = "fov,cell,gene_no,gene,x,y"

CASES = {
    XENIUM: {
        "gene": "feature_name",
        "x": "x_location",
        "y": "y_location",
        "z": "z_location",
        "cell": "cell_id",
        "quality": "qv",
    },
    COSMX: {
        "gene": "target",
        "x": "x_local_px",
        "y": "y_local_px",
        "z": "z",
        "cell": "cell_ID",
        "fov": "fov",
    },
    MERSCOPE: {
        "gene": "gene",
        "x": "global_x",
        "y": "global_y",
        "z": "global_z",
        "cell": "cell_id",
        "fov": "fov",
    },
    STARFISH: {"gene": "target", "x": "x", "y": "y", "z": "z", "cell": "cell_id"},
    HACKATHON: {"gene": "gene", "x": "x", "y": "y", "cell": "cell", "fov": "fov"},
    "geneID,x,y,MIDCount": {"gene": "geneID", "x": "x", "y": "y"},
    "Gene,X,Y,Quality": {"gene": "Gene", "x": "X", "y": "Y", "quality": "Quality"},
    "Symbol,x (µm),y (µm)": {"gene": "Symbol", "x": "x (µm)", "y": "y (µm)"},
}


@pytest.mark.parametrize("header", CASES)
def test_the_columns_of_an_instrument_are_known(header: str) -> None:
    assert guess_columns(header.split(","), SpotParams(), "t").named() == CASES[header]


@pytest.mark.parametrize(
    ("header", "unit", "frame", "size"),
    [
        (XENIUM, "um", "global", 0.2125),
        (COSMX, "px", "local", 0),
        (MERSCOPE, "um", "global", 0),
        (STARFISH, "", "", 0),
        ("name,x_px,y_px", "px", "", 0),
    ],
)
def test_names_tell_unit_and_frame(header: str, unit: str, frame: str, size: float) -> None:
    found = guess_columns(header.split(","), SpotParams(), "t")
    assert (found.unit, found.frame, found.pixel_size_um) == (unit, frame, size)


@pytest.mark.parametrize(
    ("header", "wanted", "x"),
    [
        (COSMX, "global", "x_global_px"),
        (COSMX, "local", "x_local_px"),
        (MERSCOPE, "local", "x"),
        (MERSCOPE, "global", "global_x"),
    ],
)
def test_local_or_global_can_be_chosen(header: str, wanted: str, x: str) -> None:
    params = SpotParams.model_validate({"coordinates": wanted})
    assert guess_columns(header.split(","), params, "t").x == x


def test_what_is_set_is_taken_and_the_rest_is_guessed() -> None:
    params = SpotParams(gene="CellComp", x="x_global_px", cell="fov")
    found = guess_columns(COSMX.split(","), params, "t")
    assert found.named() | {"z": ""} == {
        "gene": "CellComp",
        "x": "x_global_px",
        "y": "y_global_px",  # the partner of the x that is set
        "z": "",
        "cell": "fov",
        "fov": "fov",
    }
    assert found.frame == "global"


def test_columns_of_unknown_names_are_set_by_hand() -> None:
    found = guess_columns(["who", "where", "how"], SpotParams(gene="who", x="where", y="how"), "t")
    assert found.named() == {"gene": "who", "x": "where", "y": "how"}
    assert (found.unit, found.frame) == ("", "")


@pytest.mark.parametrize(
    ("header", "params", "said"),
    [
        ("a,b,c", SpotParams(), "a gene and x and y .*'a', 'b', 'c'"),
        ("gene,a,b", SpotParams(), "for x and y was"),
        ("x,y,count", SpotParams(), "for a gene was"),
        ("gene,x,y", SpotParams(z="depth"), "no column 'depth' for z; it has gene, x, y"),
        ("gene,x,x,y", SpotParams(), "2 columns for x: 'x', 'x'"),
        ("gene,Gene,x,y", SpotParams(), "2 columns for gene: 'gene', 'Gene'"),
    ],
)
def test_what_cannot_be_told_is_refused(header: str, params: SpotParams, said: str) -> None:
    with pytest.raises(InputError, match=said):
        guess_columns(header.split(","), params, "t.csv")


def test_names_that_differ_in_case_can_be_set() -> None:
    found = guess_columns(["gene", "Gene", "x", "y"], SpotParams(gene="Gene"), "t.csv")
    assert found.gene == "Gene"


def test_repeated_names_that_are_not_read_do_not_matter() -> None:
    found = guess_columns(["gene", "x", "y", "note", "note"], SpotParams(), "t.csv")
    assert found.named() == {"gene": "gene", "x": "x", "y": "y"}
