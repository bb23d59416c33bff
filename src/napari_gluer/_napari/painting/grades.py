"""How far each gene in the picker may be believed, and whether it was measured too."""

import json
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from anndata import AnnData

from napari_gluer import slots
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer.trust.held_out import GRADES

CHANCE = GRADES[-1]
_SHORT = {CHANCE: "chance"}
_STORED = ("predicted", "low", "high", "grade", "measured")


@dataclass(frozen=True, eq=False)
class Grades:
    """What is known of the genes of one integration.

    Attributes
    ----------
    table
        Indexed by gene: ``grade``, ``predicted``, ``low``, ``high`` as `gene_reliability` gives
        them; None where genes were not graded.
    measured
        Genes that a linked feature stands for.
    """

    table: pd.DataFrame | None = None
    measured: frozenset[str] = frozenset()
    _grades: dict[str, str] = field(default_factory=dict)

    def what(self, one: Paintable) -> str:
        """What it is, in few words: ``imputed + measured``."""
        both = one.origin is Origin.GENE and one.name in self.measured
        return f"{one.origin.value} + measured" if both else one.origin.value

    def grade(self, one: Paintable) -> str:
        """``good``, ``fair``, ``weak``, ``chance``; "" where it is no gene or not graded."""
        if one.origin is not Origin.GENE:
            return ""
        known = self._grades.get(one.name, "")
        return _SHORT.get(known, known)

    def is_chance(self, one: Paintable) -> bool:
        """Whether it is a gene that is imputed no better than chance."""
        return one.origin is Origin.GENE and self._grades.get(one.name) == CHANCE

    def explained(self, one: Paintable) -> str:
        """The grade in a sentence, "" where there is none."""
        if self.table is None or not self.grade(one):
            return ""
        row = self.table.loc[one.name]
        return (
            f"Imputed: {row['grade']}. Expected rank correlation with the truth "
            f"{row['predicted']:.2f} ({row['low']:.2f} to {row['high']:.2f} for 90 % of genes)."
        )


def grades_of(cells: AnnData | None) -> Grades:
    """What is known of the genes that can be imputed for `cells`."""
    if cells is None or slots.WEIGHTS not in cells.obsm:
        return Grades()
    known = slots.info(cells)
    links: dict[str, str] = json.loads(known.get("links", "{}"))
    measured = frozenset(gene for genes in links.values() for gene in genes.split(";"))
    table = known.get(slots.RELIABILITY)
    if not isinstance(table, pd.DataFrame):
        return Grades(measured=measured)
    return Grades(table, measured, dict(zip(table.index, table["grade"].astype(str), strict=True)))


def keep_grades(cells: AnnData, table: pd.DataFrame) -> None:
    """Store what `gene_reliability` found; sets ``uns["gluer"]["reliability"]``."""
    stored: dict[str, Any] = {name: table[name].to_numpy() for name in _STORED}
    slots.note(cells, **{slots.RELIABILITY: pd.DataFrame(stored, index=table.index)})
