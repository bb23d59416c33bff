"""What is told of links that were found under another name."""

from collections.abc import Sequence

import pandas as pd

from napari_gluer.errors import listed
from napari_gluer.nomenclature.genes import (
    ENSEMBL,
    LETTER_CASE,
    ORTHOLOGUE,
    PREVIOUS,
    species_of,
)


def translated(links: pd.DataFrame) -> list[str]:
    """What was linked under another name than the cells gave, one clause for each way.

    Parameters
    ----------
    links
        Indexed by feature, with ``genes`` and ``found``, as `linked_features` gives them.
    """
    return [
        f"{_counted(names)} {_by(way, links)} ({listed(names, 3)}){_doubt(way)}"
        for way in (ORTHOLOGUE, PREVIOUS, ENSEMBL, LETTER_CASE)
        if (names := [str(name) for name in links.index[links["found"] == way]])
    ]


def _counted(names: Sequence[str]) -> str:
    return "1 feature links" if len(names) == 1 else f"{len(names):,} features link"


def _by(way: str, links: pd.DataFrame) -> str:
    if way == ORTHOLOGUE:
        found = links.loc[links["found"] == way, "genes"]
        species = species_of(gene for genes in found for gene in genes)
        return f"to {species} orthologues" if species else "to orthologues"
    ways = {
        PREVIOUS: "through older or newer symbols",
        ENSEMBL: "through Ensembl ids",
        LETTER_CASE: "only without regard to upper and lower case",
    }
    return ways[way]


def _doubt(way: str) -> str:
    return ": are both of one species?" if way == LETTER_CASE else ""
