"""What cleaning did, in a form that is kept and one line that is shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_gluer.errors import listed
from napari_gluer.measurement.signal import Signal


@dataclass
class Report:
    """What was done, for ``uns["gluer"]["clean"]``.

    A table that was cleaned before keeps its history: `cells` and what was dropped are counted
    from the table as measured.

    Attributes
    ----------
    cells, kept
        Number of cells before and after.
    dropped
        Cells dropped by every filter that ran.
    reasons
        The same by reason: without a value in some channel, too small, too large, blanks too dark,
        blanks too bright.
    skipped
        Steps left out, and why.
    bounds
        Filter → the bounds that were applied, and the parameters that they came from.
    not_separated, constant
        Markers whose signal and ground do not separate, and that do not vary.
    mixtures
        Marker → the two components on values as measured (`mixtures_as_json`).
    """

    cells: int
    kept: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    bounds: dict[str, dict[str, Any]] = field(default_factory=dict)
    not_separated: list[str] = field(default_factory=list)
    constant: list[str] = field(default_factory=list)
    mixtures: dict[str, dict[str, Any]] = field(default_factory=dict)

    @staticmethod
    def continued(earlier: object, cells: int) -> "Report":
        """A report on a table of `cells` rows; `earlier` is what an earlier cleaning left, if any.

        Where the table has more rows than that cleaning kept, it is another table.
        """
        if not (isinstance(earlier, dict) and {"bounds", "reasons"} <= earlier.keys()):
            return Report(cells)
        if cells > earlier["kept"]:
            return Report(cells)
        report = Report(earlier["cells"], bounds=dict(earlier["bounds"]))
        report.dropped, report.reasons = dict(earlier["dropped"]), dict(earlier["reasons"])
        if gone := earlier["kept"] - cells:
            report.drop("elsewhere", {"elsewhere": gone})
        return report

    def drop(self, step: str, reasons: dict[str, int]) -> None:
        """Count cells dropped by `step`."""
        self.dropped[step] = self.dropped.get(step, 0) + sum(reasons.values())
        for reason, count in reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count

    def as_json(self) -> dict[str, Any]:
        """All fields and the one line ``outcome``, of JSON types."""
        return {**vars(self), "outcome": self._outcome()}

    def _outcome(self) -> str:
        dropped = ", ".join(f"{reason} {count:,}" for reason, count in self.reasons.items())
        parts = [f"{self.kept:,} of {self.cells:,} cells kept"]
        parts += [f"dropped: {dropped}"] if dropped else []
        if self.not_separated:
            parts.append(f"signal and ground not separated: {listed(self.not_separated, 3)}")
        parts += [f"constant: {listed(self.constant)}"] if self.constant else []
        why = "; ".join(f"{step} ({reason})" for step, reason in self.skipped.items())
        parts += [f"skipped: {why}"] if why else []
        return "; ".join(parts) + "."


def mixtures_as_json(names: Sequence[str], signal: Signal) -> dict[str, dict[str, Any]]:
    """Marker → its fit, of JSON types.

    ``weights``, ``means``, ``deviations`` of ground and signal and ``threshold``, where both are
    equally likely (None where they never are), of values as measured; ``ashman_d`` of these;
    ``separated``, with the ``power`` (0 logarithm, 1 as measured) and ``ashman_d_on_power`` of the
    scale on which that was judged.
    """
    mixture, separation = signal.mixture, signal.separation
    if mixture is None or separation is None:
        return {}
    thresholds, ashman = mixture.thresholds, mixture.ashman
    return {
        name: {
            "weights": mixture.weights[:, i].tolist(),
            "means": mixture.means[:, i].tolist(),
            "deviations": mixture.deviations[:, i].tolist(),
            "threshold": float(thresholds[i]) if np.isfinite(thresholds[i]) else None,
            "ashman_d": float(ashman[i]),
            "separated": bool(separation.separated[i]),
            "power": float(separation.power[i]),
            "ashman_d_on_power": float(separation.ashman[i]),
        }
        for i, name in enumerate(names)
    }
