"""What assigning spots found, in a form that is kept and one line that is shown."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_gluer.markers import is_blank
from napari_gluer.measurement.limits import outside_words
from napari_gluer.measurement.matching import Found


def report(
    spots: pd.DataFrame,
    under: NDArray[np.int64],
    named: NDArray[np.int64] | None,
    found: Found,
    *,
    field: str,
    z_ignored: bool,
) -> dict[str, Any]:
    """For ``uns["gluer"]["spots"]``.

    Parameters
    ----------
    spots
        The table.
    under
        Label under every spot that was counted, 0 in the background, -1 beside the labels.
    named
        Cell that the table names for each; None where it names none by its label.
    found
        How the spots lie.
    field
        The field of view that was chosen, "" for all.
    z_ignored
        The spots have z and the labels no planes.

    Returns
    -------
    Of JSON types: ``spots`` (number looked up), ``in_cells``, ``outside_cells`` and ``on_labels``
    (shares of them), ``agreeing`` (share of those on the labels whose cell is the table's; none on
    both sides agrees; absent where the table names none), ``orientation``, ``transposed``,
    ``flip_y``, ``flip_x``, ``x0``, ``y0``, ``checked``, ``tried``, ``field``, ``blanks`` (names of
    control probes), ``columns``, ``outcome``.
    """
    on_labels = under >= 0
    in_cells = float((under > 0).mean())
    way = found.placement.orientation
    said: dict[str, Any] = {
        "spots": len(under),
        "in_cells": round(in_cells, 6),
        "outside_cells": round(1 - in_cells, 6),
        "on_labels": round(float(on_labels.mean()), 6),
        "orientation": str(way),
        "transposed": way.transposed,
        "flip_y": way.flip_y,
        "flip_x": way.flip_x,
        "x0": found.placement.x0,
        "y0": found.placement.y0,
        "checked": found.checked,
        "tried": found.tried,
        "field": field,
        "blanks": [str(name) for name in spots["gene"].unique() if is_blank(str(name))],
        "columns": dict(spots.attrs.get("columns", {})),
    }
    if named is not None and on_labels.any():
        said["agreeing"] = round(float((under == named)[on_labels].mean()), 6)
    elif np.isfinite(found.agreement.agreeing):
        said["agreeing"] = round(found.agreement.agreeing, 6)
    said["outcome"] = _outcome(said, found, len(spots), z_ignored=z_ignored)
    return said


def within_regions(said: dict[str, Any], outside: int) -> dict[str, Any]:
    """A report with the number of cells that were left out because of regions."""
    words = f"; {outside_words(outside)}." if outside else "."
    outcome = said["outcome"].removesuffix(".") + words
    return {**said, "outside_regions": outside, "outcome": outcome}


def _outcome(said: dict[str, Any], found: Found, total: int, *, z_ignored: bool) -> str:
    parts = [f"{said['spots']:,} spots, {said['in_cells']:.1%} in cells"]
    if said["on_labels"] < 1:
        parts.append(f"{1 - said['on_labels']:.1%} beside the labels")
    if said["field"]:
        others = total - said["spots"]
        parts.append(f"of field of view {said['field']} ({others:,} spots of others left out)")
    parts.append(f"laid {found.placement}")
    if "agreeing" in said:
        parts.append(f"{said['agreeing']:.1%} agree with the cells that the table names")
    parts += [found.remark] if found.remark else []
    parts += ["z is not used, the labels have one plane"] if z_ignored else []
    return "; ".join(parts) + "."
