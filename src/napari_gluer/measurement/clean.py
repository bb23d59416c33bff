"""Cleaning a table of cells: size, blanks, signal of every marker, total."""

from typing import Annotated, Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.measurement.filters import (
    BlankQuantiles,
    SizeAutomatic,
    SizeBounds,
    SizeQuantiles,
    Verdict,
    keep_by_blanks,
    keep_by_size,
    keep_measured,
)
from napari_gluer.measurement.report import Report, mixtures_as_json
from napari_gluer.measurement.signal import (
    Arcsinh,
    MixtureCumulative,
    MixturePosterior,
    Skip,
    apply_signal,
)
from napari_gluer.params import Params
from napari_gluer.track import Track, silently


class CleanParams(Params):
    """How measured cells are cleaned; the steps run in this order."""

    size: Annotated[
        SizeAutomatic | SizeQuantiles | SizeBounds | Skip, Field(discriminator="kind")
    ] = SizeAutomatic()
    """Which sizes are cells."""

    blanks: Annotated[BlankQuantiles | Skip, Field(discriminator="kind")] = BlankQuantiles()
    """Which cells the blank channels rule out."""

    signal: Annotated[
        MixtureCumulative | MixturePosterior | Arcsinh | Skip, Field(discriminator="kind")
    ] = MixtureCumulative()
    """What a marker's intensity becomes. Only for intensities."""

    divide_by_total: bool = True
    """Divide every cell by its total over markers. Only for intensities."""


def clean(cells: AnnData, params: CleanParams | None = None, *, track: Track = silently) -> AnnData:
    """Drop what is no cell and turn intensities into comparable signals.

    Cells that are NaN in a marker or blank channel are dropped and counted: nothing was measured
    there. A step for which the table lacks the input is skipped, and the outcome says so. Cells
    that were cleaned before start again from ``layers["raw"]``; cells dropped then stay dropped,
    and a filter that is asked for with the same parameters applies the same bounds, so that
    cleaning twice is cleaning once. Results of an earlier integration no longer fit and are left
    out.

    Parameters
    ----------
    cells
        Reads ``X`` (or ``layers["raw"]``), ``uns["gluer"]["kind"]``, ``var["role"]``,
        ``obs["volume_px"]``, ``obs["area_um2"]`` or ``obs["volume_um3"]``, ``obsm["spatial"]``.
    params
        The steps; the defaults when None.
    track
        Reports the steps.

    Returns
    -------
    A new table of the kept cells:

    - ``X``: markers cleaned; nuclear, blank and ignored channels as measured
    - ``layers["raw"]``: all as measured
    - ``var["mixture_separated"]``: whether two components stand apart (after a mixture; judged on
      a power scale, see `separation.judge`, while the cleaned values come from the fit to values
      as measured). Markers that do not separate are kept.
    - ``uns["gluer"]["clean"]``: ``cells``, ``kept``, ``dropped`` (by step) and ``reasons``,
      ``skipped``, ``bounds`` of the filters, ``not_separated``, ``constant``, ``mixtures`` (marker
      → fit, `report.mixtures_as_json`) and ``outcome``, one line

    Raises
    ------
    InputError
        If no cell is left, a value is infinite, a channel is NaN in more than half of the cells,
        or no marker varies between the cells.
    """
    params = params or CleanParams()
    report = Report.continued(slots.info(cells).get(slots.CLEAN), cells.n_obs)
    stages = iter(track(("sizes", "blanks", "signal", "total"), "Cleaning cells"))
    next(stages)
    cleaned = _filtered(_with_values(cells, report), params.size, "size", report)
    next(stages)
    cleaned = _filtered(cleaned, params.blanks, "blanks", report)
    cleaned = cleaned.copy() if cleaned.is_view or cleaned is cells else cleaned
    cleaned.layers[slots.RAW] = _raw(cleaned).copy()
    next(stages)
    if slots.info(cells).get(slots.KIND, slots.INTENSITY) == slots.INTENSITY:
        _clean_signal(cleaned, params, report)
    else:
        report.skipped["signal"] = report.skipped["total"] = "the table holds no intensities"
        cleaned.X = _raw(cleaned).copy()
    next(stages, None)
    report.kept = cleaned.n_obs
    slots.drop_results(cleaned)
    slots.note(cleaned, **{slots.CLEAN: report.as_json()})
    return cleaned


def _raw(cells: AnnData) -> Any:
    return cells.layers.get(slots.RAW, cells.X)


def _with_values(cells: AnnData, report: Report) -> AnnData:
    verdict = keep_measured(cells)
    if verdict is None:
        return cells
    report.bounds["values"] = verdict.bounds
    report.drop("values", verdict.reasons)
    return cells[verdict.kept].copy()


def _filtered(
    cells: AnnData,
    rule: SizeAutomatic | SizeQuantiles | SizeBounds | BlankQuantiles | Skip,
    step: str,
    report: Report,
) -> AnnData:
    earlier = report.bounds.get(step)
    match rule:
        case Skip():
            verdict: Verdict | str = "not wanted"
        case BlankQuantiles():
            verdict = keep_by_blanks(cells, rule, earlier)
        case _:
            verdict = keep_by_size(cells, rule, earlier)
    if isinstance(verdict, str):
        report.skipped[step] = verdict
        return cells
    report.bounds[step] = verdict.bounds
    report.drop(step, verdict.reasons)
    return cells if verdict.kept.all() else cells[verdict.kept].copy()


def _markers(cells: AnnData) -> NDArray[np.bool_]:
    if slots.ROLE not in cells.var:
        return np.ones(cells.n_vars, np.bool_)
    return np.asarray(cells.var[slots.ROLE].astype(str) == slots.MARKER)


def _clean_signal(cells: AnnData, params: CleanParams, report: Report) -> None:
    raw = _raw(cells)
    values = np.array(raw.toarray() if sparse.issparse(raw) else raw, np.float64)
    markers = _markers(cells)
    names = cells.var_names[markers]
    signal = values[:, markers]
    _refuse_unusable(signal, names)
    varies = np.ptp(signal, axis=0) > 0
    report.constant = list(names[~varies])
    cleaned = np.zeros_like(signal)
    found = apply_signal(signal[:, varies], params.signal)
    cleaned[:, varies] = found.values
    report.mixtures = mixtures_as_json(names[varies], found)
    if found.separation is not None:
        separated = found.separation.separated
        report.not_separated = list(names[varies][~separated])
        flags = np.zeros(cells.n_vars, np.bool_)
        flags[np.flatnonzero(markers)[varies]] = separated
        cells.var[slots.SEPARATED] = flags
    else:
        cells.var.drop(columns=slots.SEPARATED, errors="ignore", inplace=True)
    if isinstance(params.signal, Skip):
        report.skipped["signal"] = "not wanted"
        cleaned = signal
    if params.divide_by_total:
        total = cleaned.sum(axis=1, keepdims=True)
        cleaned = np.divide(cleaned, total, out=np.zeros_like(cleaned), where=total > 0)
    else:
        report.skipped["total"] = "not wanted"
    values[:, markers] = cleaned
    cells.X = values.astype(np.float32)


def _refuse_unusable(signal: NDArray[np.float64], names: Any) -> None:
    lost = ~np.isfinite(signal).all(axis=0)
    if lost.any():
        raise InputError(f"Infinite values in {listed(names[lost])}. Drop these channels or cells.")
    if not (np.ptp(signal, axis=0) > 0).any():
        raise InputError(
            f"No marker varies between the {len(signal)} cells left (markers: {listed(names)}). "
            "Check the labels against the image, and the roles of the channels."
        )
