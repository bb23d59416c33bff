"""What cleaning did, in a form that is kept and one line that is shown."""

from dataclasses import dataclass, field
from typing import Any

from napari_gluer.errors import listed


@dataclass
class Report:
    """What was done, for ``uns["gluer"]["clean"]``.

    Attributes
    ----------
    cells, kept
        Number of cells before and after.
    dropped
        Cells dropped by every filter that ran.
    skipped
        Steps left out, and why.
    not_separated, constant
        Markers whose signal and ground do not separate, and that do not vary.
    """

    cells: int
    kept: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    not_separated: list[str] = field(default_factory=list)
    constant: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """All fields and the one line ``outcome``, of JSON types."""
        return {**vars(self), "outcome": self._outcome()}

    def _outcome(self) -> str:
        dropped = ", ".join(f"{reason} {count:,}" for reason, count in self.dropped.items())
        parts = [f"{self.kept:,} of {self.cells:,} cells kept"]
        parts += [f"dropped: {dropped}"] if dropped else []
        if self.not_separated:
            parts.append(f"signal and ground not separated: {listed(self.not_separated, 3)}")
        parts += [f"constant: {listed(self.constant)}"] if self.constant else []
        why = "; ".join(f"{step} ({reason})" for step, reason in self.skipped.items())
        parts += [f"skipped: {why}"] if why else []
        return "; ".join(parts) + "."
