"""Which rows of a table are cells: measured at all, by size, and by what blank channels show."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from anndata import AnnData
from annotated_types import Ge, Le
from numpy.typing import NDArray
from pydantic import model_validator
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import stored_values
from napari_gluer.params import Params

_VOXELS = (1_000.0, 25_000.0)  # the paper's, for CODEX in three dimensions
_WITHIN = 2.0  # times that the usual cell must be larger, and smaller, than those bounds
_QUANTILES = (0.025, 0.99)
_MOST_LOST = 0.5  # share of the cells without a value from which a channel is at fault


def _in_order(lower: float, upper: float) -> None:
    if lower > upper:
        raise ValueError(f"the lower bound {lower:g} is above the upper {upper:g}")


class SizeAutomatic(Params):
    """The quantiles 0.025 to 0.99, or in 3-D the paper's 1,000 to 25,000 voxels.

    The latter where the median cell has 2,000 to 12,500: voxels of other sizes need other bounds.
    """

    kind: Literal["automatic"] = "automatic"


class SizeQuantiles(Params):
    """Keep the sizes between two quantiles."""

    kind: Literal["quantiles"] = "quantiles"

    lower: Annotated[float, Ge(0), Le(1)] = _QUANTILES[0]
    """Part of the cells that are smaller than any kept."""

    upper: Annotated[float, Ge(0), Le(1)] = _QUANTILES[1]
    """Part of the cells that are not larger than the largest kept."""

    @model_validator(mode="after")
    def _check(self) -> "SizeQuantiles":
        _in_order(self.lower, self.upper)
        return self


class SizeBounds(Params):
    """Keep the sizes between two bounds, both kept."""

    kind: Literal["bounds"] = "bounds"

    smallest: Annotated[float, Ge(0), Le(1e9)] = 20.0
    """Smallest size kept."""

    largest: Annotated[float, Ge(0), Le(1e9)] = 500.0
    """Largest size kept."""

    unit: Literal["um", "px"] = "um"
    """``um``: µm² (2-D) or µm³ (3-D); ``px``: pixels or voxels."""

    @model_validator(mode="after")
    def _check(self) -> "SizeBounds":
        _in_order(self.smallest, self.largest)
        return self


class BlankQuantiles(Params):
    """Keep a cell if at least one blank reaches its lower quantile and none passes its upper."""

    kind: Literal["quantiles"] = "quantiles"

    lower: Annotated[float, Ge(0), Le(1)] = 0.002
    """Quantile that at least one blank channel must reach."""

    upper: Annotated[float, Ge(0), Le(1)] = 0.995
    """Quantile that no blank channel may pass."""

    @model_validator(mode="after")
    def _check(self) -> "BlankQuantiles":
        _in_order(self.lower, self.upper)
        return self


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a filter found.

    Attributes
    ----------
    kept
        ``(n_cells,)``.
    reasons
        Cells dropped, by reason.
    bounds
        The filter's parameters and the bounds that they led to, of JSON types. Given to the filter
        again, they are applied as they are: a table that was filtered stays as it is.
    """

    kept: NDArray[np.bool_]
    reasons: dict[str, int]
    bounds: dict[str, Any]


def keep_measured(cells: AnnData) -> Verdict | None:
    """Which cells have a value in every marker and blank channel; None where all have.

    A cell that lies where a channel's picture holds only NaN, beyond its field of view for
    instance, has none there, and a guess would be taken for a measurement.

    Parameters
    ----------
    cells
        The table.

    Raises
    ------
    InputError
        If a channel has none in more than half of the cells, which is the channel's fault.
    """
    raw = cells.layers.get(slots.RAW, cells.X)
    if not np.isnan(stored_values(raw)).any():
        return None
    judged = np.ones(cells.n_vars, np.bool_)
    if slots.ROLE in cells.var:
        judged = cells.var[slots.ROLE].isin([slots.MARKER, slots.BLANK]).to_numpy()
    lost = np.isnan(raw.toarray() if sparse.issparse(raw) else np.asarray(raw))[:, judged]
    names = np.asarray(cells.var_names)[judged]
    counts = lost.sum(axis=0)
    many = counts > _MOST_LOST * cells.n_obs
    if many.any():
        found = listed(f"{name} ({n:,})" for name, n in zip(names[many], counts[many], strict=True))
        raise InputError(
            f"Channels without a value (NaN) in more than half of the {cells.n_obs:,} cells: "
            f"{found}. Leave them out: give them the role ignore, or drop their columns."
        )
    gone = lost.any(axis=1)
    if not gone.any():
        return None
    if gone.all():
        raise InputError(
            f"No cell has a value in every channel: NaN in {listed(names[counts > 0])}. Drop "
            "those channels, or give them the role ignore."
        )
    reason = f"without a value in {listed(names[counts > 0], 3)}"
    pairs = zip(names, counts, strict=True)
    missing = {str(name): int(count) for name, count in pairs if count}
    return Verdict(~gone, {reason: int(gone.sum())}, {"channels": missing})


def keep_by_size(
    cells: AnnData,
    rule: SizeAutomatic | SizeQuantiles | SizeBounds,
    earlier: dict[str, Any] | None = None,
) -> Verdict | str:
    """Which cells have a usual size; why not known where the table lacks sizes.

    Parameters
    ----------
    cells
        The table.
    rule
        Which sizes are kept.
    earlier
        `Verdict.bounds` of the last time, applied again if they came from the same rule.

    Raises
    ------
    InputError
        If none is left; the message gives the bounds and the sizes.
    """
    column, unit = _size_column(cells, rule)
    if column is None:
        return f"no size in {unit}"
    sizes = cells.obs[column].to_numpy(np.float64)
    origin = {**rule.model_dump(), "column": column}
    if known := _applied(earlier, origin):
        low, high = known
    else:
        _refuse_no_sizes(sizes, column)
        low, high = _bounds(cells, rule, sizes)
    kept = (sizes >= low) & (sizes <= high)
    if not kept.any():
        raise InputError(
            f"No cell is left by the size filter: it keeps {low:g} to {high:g} {unit}, and the "
            f"{len(sizes)} sizes are {np.nanmin(sizes):g} to {np.nanmax(sizes):g} "
            f"(median {np.nanmedian(sizes):g}). Change the bounds or use quantiles."
        )
    reasons = {
        "too small": int((sizes < low).sum()),
        "too large": int((sizes > high).sum()),
        "size not known": int(np.isnan(sizes).sum()),
    }
    bounds = {"from": origin, "low": low, "high": high, "unit": unit}
    return Verdict(np.asarray(kept), _happened(reasons), bounds)


def keep_by_blanks(
    cells: AnnData, rule: BlankQuantiles, earlier: dict[str, Any] | None = None
) -> Verdict | str:
    """Which cells the blank channels leave; why not known without such channels.

    Parameters
    ----------
    cells
        The table.
    rule
        What blank channels may show.
    earlier
        `Verdict.bounds` of the last time, applied again if they came from the same rule and
        channels.

    Raises
    ------
    InputError
        If none is left.
    """
    if slots.ROLE not in cells.var or not (blank := cells.var[slots.ROLE] == slots.BLANK).any():
        return "no blank channel"
    names = list(cells.var_names[blank])
    raw = cells.layers.get(slots.RAW, cells.X)
    part = raw[:, blank.to_numpy()]
    values = np.asarray(part.toarray() if sparse.issparse(part) else part, np.float64)
    origin = {**rule.model_dump(), "channels": names}
    if known := _applied(earlier, origin):
        low, high = known
    else:
        low, high = np.quantile(values, [rule.lower, rule.upper], axis=0).tolist()
    dark, bright = (values < low).all(axis=1), (values > high).any(axis=1)
    kept = ~(dark | bright)
    if not kept.any():
        raise InputError(
            f"No cell is left by the blank gate (quantiles {rule.lower:g} to {rule.upper:g} of "
            f"{blank.sum()} blank channels): {int(dark.sum())} are too dark and "
            f"{int(bright.sum())} too bright. Widen the quantiles or skip it."
        )
    reasons = {
        "blanks too dark": int((dark & ~bright).sum()),
        "blanks too bright": int(bright.sum()),
    }
    return Verdict(kept, _happened(reasons), {"from": origin, "low": low, "high": high})


def _applied(earlier: dict[str, Any] | None, origin: dict[str, Any]) -> tuple[Any, Any] | None:
    """The bounds of the last time, if they came from the same rule and columns."""
    return (earlier["low"], earlier["high"]) if earlier and earlier["from"] == origin else None


def _happened(reasons: dict[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in reasons.items() if count}


def _refuse_no_sizes(sizes: NDArray[np.float64], column: str) -> None:
    if not np.isfinite(sizes).any():
        raise InputError(f"obs[{column!r}] holds no size: all {len(sizes)} values are NaN.")


def _size_column(
    cells: AnnData, rule: SizeAutomatic | SizeQuantiles | SizeBounds
) -> tuple[str | None, str]:
    """Column of the sizes that `rule` needs, None where missing, and their unit in words."""
    if isinstance(rule, SizeBounds) and rule.unit == "um":
        for column, unit in ((slots.AREA_UM2, "µm²"), (slots.VOLUME_UM3, "µm³")):
            if column in cells.obs:
                return column, unit
        return None, "µm (the pixel size is not known)"
    return (slots.VOLUME if slots.VOLUME in cells.obs else None), "pixels"


def _bounds(
    cells: AnnData,
    rule: SizeAutomatic | SizeQuantiles | SizeBounds,
    sizes: NDArray[np.float64],
) -> tuple[float, float]:
    match rule:
        case SizeBounds(smallest=low, largest=high):
            return low, high
        case SizeQuantiles(lower=lower, upper=upper):
            quantiles = (lower, upper)
        case SizeAutomatic():
            if slots.SPATIAL in cells.obsm and cells.obsm[slots.SPATIAL].shape[1] == 3:
                usual = float(np.nanmedian(sizes))
                if _WITHIN * _VOXELS[0] <= usual <= _VOXELS[1] / _WITHIN:
                    return _VOXELS
            quantiles = _QUANTILES
    low, high = np.nanquantile(sizes, quantiles)
    return float(low), float(high)
