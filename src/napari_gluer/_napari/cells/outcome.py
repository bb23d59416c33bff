"""What became of the cells, in words."""

from typing import Any

from anndata import AnnData

from napari_gluer import slots
from napari_gluer._napari.steps.base import Outcome


def outcome(cells: AnnData, *also: str) -> Outcome:
    """What became of the cells: counts in the line, names of markers and reasons as details.

    Parameters
    ----------
    cells
        Measured, and perhaps cleaned.
    also
        Further sentences; empty ones are left out.
    """
    known = slots.info(cells)
    measured = known.get(slots.KIND, slots.INTENSITY) == slots.INTENSITY
    size = _number(
        cells.n_vars, "channel" if measured else "gene" if "spots" in known else "feature"
    )
    report = known.get(slots.CLEAN)
    if isinstance(report, dict):
        parts, details = _cleaned(report, size), _details(report)
    else:
        parts, details = [f"{_number(cells.n_obs, 'cell')}, {size}."], []
    parts += [_spots(known["spots"])] if "spots" in known else []
    parts += [*_measured(known.get(slots.MEASURE, {})), *filter(None, also)]
    return Outcome(" ".join(parts), "\n\n".join(details))


def _cleaned(report: dict[str, Any], size: str) -> list[str]:
    dropped = ", ".join(f"{n:,} {reason}" for reason, n in report["reasons"].items() if n)
    parts = [f"{report['kept']:,} of {_number(report['cells'], 'cell')} kept, {size}."]
    parts += [f"Dropped: {dropped}."] if dropped else []
    if n := len(report["not_separated"]):
        parts.append(f"No clear split into signal and ground: {_number(n, 'marker')}.")
    if n := len(report["constant"]):
        parts.append(f"The same in every cell: {n}.")
    return parts


def _details(report: dict[str, Any]) -> list[str]:
    parts = []
    if report["not_separated"]:
        names = ", ".join(report["not_separated"])
        parts.append(f"No clear split into signal and ground (kept, judge with care): {names}.")
    if report["constant"]:
        parts.append(f"The same in every cell: {', '.join(report['constant'])}.")
    sizes = report.get("bounds", {}).get("size")
    if sizes:
        parts.append(f"Sizes kept: {sizes['low']:,.4g} to {sizes['high']:,.4g} {sizes['unit']}.")
    why = "; ".join(f"{step}: {reason}" for step, reason in report["skipped"].items())
    return [*parts, *([f"Skipped – {why}."] if why else [])]


def _measured(report: dict[str, Any]) -> list[str]:
    said = []
    if n := report.get("outside_regions"):
        said.append(f"Left out by regions: {_number(n, 'cell')}.")
    if n := report.get("cells_without_nucleus"):
        said.append(f"Without a nucleus: {_number(n, 'cell')}.")
    if lost := report.get("not_finite"):
        said.append(f"NaN or infinite pixels left out: {sum(lost.values()):,}.")
    return said


def _spots(report: dict[str, Any]) -> str:
    text = str(report["outcome"])
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _number(n: int, thing: str) -> str:
    return f"{n:,} {thing if n == 1 else f'{thing}s'}"
