"""The simulated antibody panel: which antigen each channel shows, and where in the cell."""

from dataclasses import dataclass
from typing import Literal

Site = Literal["membrane", "cytoplasm", "nucleus"]

NUCLEAR = "DAPI"
BLANK = "Blank"


@dataclass(frozen=True)
class Marker:
    """One antibody of the panel.

    Attributes
    ----------
    name
        Channel name, as an immunologist would write it.
    genes
        Symbols of the genes that encode the antigen.
    site
        Where in the cell the antigen lies.
    """

    name: str
    genes: tuple[str, ...]
    site: Site = "membrane"


PANEL = (
    Marker("CD2", ("CD2",)),
    Marker("CD3", ("CD3D", "CD3E", "CD3G")),
    Marker("CD4", ("CD4",)),
    Marker("CD7", ("CD7",)),
    Marker("CD8", ("CD8A", "CD8B")),
    Marker("CD16", ("FCGR3A",)),
    Marker("CD18", ("ITGB2",)),
    Marker("CD20", ("MS4A1",)),
    Marker("CD27", ("CD27",)),
    Marker("CD33", ("CD33",)),
    Marker("CD37", ("CD37",)),
    Marker("CD40", ("CD40",)),
    Marker("CD45", ("PTPRC",)),
    Marker("CD52", ("CD52",)),
    Marker("CD63", ("CD63",), "cytoplasm"),
    Marker("CD74", ("CD74",), "cytoplasm"),
    Marker("CD79a", ("CD79A",)),
    Marker("CD127", ("IL7R",)),
    Marker("CD161", ("KLRB1",)),
    Marker("CD301", ("CLEC10A",)),
    Marker("Granzyme B", ("GZMB",), "cytoplasm"),
    Marker("HLA-DR", ("HLA-DRA", "HLA-DRB1")),
    Marker("Lysozyme", ("LYZ",), "cytoplasm"),
    Marker("S100A9", ("S100A9",), "cytoplasm"),
    Marker("PCNA", ("PCNA",), "nucleus"),
)
"""Chosen so that every antigen's genes are among the 765 of the profiles."""
