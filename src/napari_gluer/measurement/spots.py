"""From decoded spots to counts per cell."""

from typing import Annotated, Any

import numpy as np
import pandas as pd
from anndata import AnnData
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.labels import checked_labels
from napari_gluer.markers import annotate
from napari_gluer.measurement.agreement import Patches, Sample
from napari_gluer.measurement.cell_places import CellPlaces, cell_places
from napari_gluer.measurement.field_choice import choose_field, share_a_frame
from napari_gluer.measurement.limits import cells_inside
from napari_gluer.measurement.matching import Found, match_cells, match_shapes
from napari_gluer.measurement.orientation import Choice, nearest, orientations
from napari_gluer.measurement.spot_counts import count_spots, labels_under
from napari_gluer.measurement.spot_report import report, within_regions
from napari_gluer.params import Params
from napari_gluer.tiles import TileParams
from napari_gluer.track import Track, silently

_COMMON = 0.2  # share of ids in common from which they are taken for the same numbers


class AssignParams(Params):
    """How spots are laid on labels."""

    flip_y: Choice = "auto"
    """Count y from the last row of the labels. Automatic: what the data say."""

    flip_x: Choice = "auto"
    """Count x from the last column of the labels."""

    transpose: Choice = "auto"
    """Swap x and y before flipping."""

    find_origin: bool = True
    """Also find where the labels start, where the table names cells."""

    compare_cells: bool = True
    """Compare with the cells that the table names. Turn off where they are of another
    segmentation than the labels."""

    least_match: Annotated[float, Ge(0), Le(1)] = 0.7
    """Share of the spots in cells that must lie in the cell which the table names."""

    plane_step: Annotated[float, Gt(0), Le(1e6)] = 1.0
    """Distance between two planes of 3-D labels, in the unit of z; z 0 is the first plane."""


def assign_spots(
    spots: pd.DataFrame,
    labels: Any,
    params: AssignParams | None = None,
    *,
    regions: Any = None,
    tiles: TileParams | None = None,
    track: Track = silently,
) -> AnnData:
    """Count the spots of every gene in every cell.

    How the spots lie on the labels is found: axes flipped or swapped, where the labels start, and
    of which field of view they are. Where the table names cells, spots must lie in them; else
    the orientation is taken that puts clearly more spots in cells, and what cannot be checked is
    said. The first pixel's centre is 0: pixel i holds the positions from i - ½ up to i + ½.

    Parameters
    ----------
    spots
        As `read_spots` gives them: ``gene``, ``x``, ``y`` in pixels of the labels, and ``z``,
        ``cell``, ``fov`` where known. ``cell`` is a label, 0 for none, or another name of a cell.
        z is read only for 3-D labels.
    labels
        Whole numbers ``(y, x)`` or ``(z, y, x)``, 0 = background; a NumPy array or anything that
        is sliced like one, which is then read tile by tile.
    params
        What is known of the orientation; all found when None.
    regions
        What says which points count: ``regions.contains(points_yx)``, in pixels of the labels
        (`Regions`). Cells whose centroid lies outside are left out; their spots lie in cells all
        the same.
    tiles
        How large labels are worked through; no result depends on it.
    track
        Reports tiles.

    Returns
    -------
    One row for every label, in ascending order, index ``str(label)``:

    - ``X`` float32 CSR ``(n_cells, n_genes)``, counts; genes in alphabetical order
    - ``obs``: ``label``, ``volume_px`` and, where the pixel size is known, ``area_um2`` (2-D)
    - ``obsm["spatial"]``: centroid x, y[, z] in µm, else in pixels
    - ``var``: ``genes`` and ``role``; control probes are ``blank``
    - ``uns["gluer"]``: ``kind`` = counts, ``spatial_unit``, ``path`` and ``sha256`` of the table
      where known, and ``spots``: ``orientation``, ``x0``, ``y0``, shares ``in_cells``,
      ``on_labels`` and ``agreeing``, what was ``tried``, ``outside_regions`` (cells left out) and
      ``outcome``, one line

    Raises
    ------
    InputError
        If the spots or labels cannot be used, spots fall beside the labels, or do not lie in the
        cells that the table names; the message gives the numbers. If no cell lies in the regions.
    """
    params = params or AssignParams()
    _refuse_spots(spots)
    pixels = _pixels(labels)
    places = cell_places(pixels, tiles, track)
    planes = _planes(spots, places, params)
    sample = _sample(spots, places, planes, params)
    chosen, field, found = _find(spots, sample, places, Patches(pixels), params)
    under = labels_under(sample.part(chosen), found.placement, pixels, tiles, track)
    genes = spots["gene"].astype("category").cat
    codes = genes.codes.to_numpy()[chosen]
    counts = count_spots(under, codes, places.ids, len(genes.categories))
    cells = _table(counts, [str(name) for name in genes.categories], places, spots)
    named = None if sample.linked or sample.cells is None else sample.cells[chosen]
    said = report(spots, under, named, found, field=field, z_ignored=_z_ignored(spots, places))
    known = {key: spots.attrs[key] for key in ("path", "sha256") if key in spots.attrs}
    inside = cells_inside(regions, places.centroids)
    slots.note(cells, **{slots.SPOTS: within_regions(said, int((~inside).sum()))}, **known)
    return cells if inside.all() else cells[inside].copy()


def _pixels(labels: Any) -> Any:
    """A NumPy array, checked, or the lazy array as it is: its tiles are checked one by one."""
    lazy = hasattr(labels, "shape") and hasattr(labels, "__getitem__")
    if isinstance(labels, np.ndarray) or not lazy:
        return checked_labels(labels)
    return labels


def _refuse_spots(spots: pd.DataFrame) -> None:
    missing = [name for name in ("gene", "x", "y") if name not in spots.columns]
    if missing:
        raise InputError(
            f"Spots need columns gene, x and y; {listed(missing)} is missing (there are "
            f"{listed(spots.columns)}). Read the table with ng.read_spots."
        )
    if not spots.columns.is_unique:
        raise InputError(f"Columns of the spots are repeated: {listed(spots.columns)}.")
    if spots.empty:
        raise InputError("There are no spots: the table is empty.")
    if spots.attrs.get("unit") == "um":
        raise InputError(
            "The positions are in µm and the pixel size is not known, so they cannot be laid on "
            "labels. Give pixel_size_um to read_spots."
        )
    nameless = int(spots["gene"].isna().sum() + (spots["gene"] == "").sum())
    if nameless:
        raise InputError(f"{nameless:,} of {len(spots):,} spots have no gene. Remove them.")
    for name in ("x", "y"):
        values = pd.to_numeric(spots[name], errors="coerce").to_numpy(np.float64)
        wrong = np.flatnonzero(~np.isfinite(values))
        if wrong.size:
            first = listed(repr(value) for value in spots[name].iloc[wrong[:3]])
            raise InputError(
                f"{wrong.size:,} of {len(spots):,} spots have no finite {name} ({first}). Remove "
                "or correct them."
            )


def _planes(
    spots: pd.DataFrame, places: CellPlaces, params: AssignParams
) -> NDArray[np.int64] | None:
    if len(places.shape) == 2:
        return None
    if "z" not in spots:
        raise InputError(
            f"The labels have {places.shape[0]} planes, and the spots no z. Name its column, or "
            "give labels of one plane."
        )
    depths = pd.to_numeric(spots["z"], errors="coerce").to_numpy(np.float64) / params.plane_step
    lost = int((~np.isfinite(depths)).sum())
    if lost:
        raise InputError(f"{lost:,} of {len(spots):,} spots have no finite z. Remove them.")
    planes = nearest(depths)
    if not ((planes >= 0) & (planes < places.shape[0])).any():
        raise InputError(
            f"No spot lies in the {places.shape[0]} planes of the labels: z is "
            f"{spots['z'].min():g} to {spots['z'].max():g} with {params.plane_step:g} a plane. "
            "Give the distance of planes (plane_step)."
        )
    return planes


def _sample(
    spots: pd.DataFrame,
    places: CellPlaces,
    planes: NDArray[np.int64] | None,
    params: AssignParams,
) -> Sample:
    x, y = (spots[name].to_numpy(np.float64) for name in ("x", "y"))
    if "cell" not in spots or not params.compare_cells:
        return Sample(x, y, planes)
    cells = spots["cell"]
    if cells.dtype.kind in "iu":
        numbers = np.maximum(np.asarray(cells, np.int64), 0)
        return Sample(x, y, planes, numbers, linked=not _in_common(numbers, places.ids))
    if cells.dtype.kind == "f":
        whole = cells.fillna(0).to_numpy(np.float64)
        if (whole == np.floor(whole)).all():
            rounded = np.maximum(whole, 0).astype(np.int64)
            return Sample(x, y, planes, rounded, linked=not _in_common(rounded, places.ids))
    codes = np.array(cells.astype("category").cat.codes, np.int64)
    codes += 1
    return Sample(x, y, planes, codes, linked=True)


def _in_common(numbers: NDArray[np.int64], ids: NDArray[np.int64]) -> bool:
    """Whether the numbers of the table's cells are those of the labels."""
    named = np.unique(numbers[numbers > 0])
    shared = np.isin(named, ids).sum()
    return bool(shared >= _COMMON * min(len(named), len(ids)))


def _find(
    spots: pd.DataFrame,
    sample: Sample,
    places: CellPlaces,
    patches: Patches,
    params: AssignParams,
) -> tuple[Any, str, Found]:
    """Rows of the spots that are counted, their field of view ("" for all), and how they lie."""
    ways = orientations(params.transpose, params.flip_y, params.flip_x)

    def match(part: Sample) -> Found:
        return match_cells(
            part, ways, patches, places, origin=params.find_origin, least=params.least_match
        )

    cells_named = sample.cells is not None and bool((sample.cells > 0).any())
    fields, names = _fields(spots)
    several = len(names) > 1 and not _one_frame(spots, sample, fields)
    every = slice(None)
    if not cells_named:
        if several:
            raise InputError(
                f"The table holds {len(names)} fields of view ({listed(names)}), each with "
                "positions of its own, and names no cells to choose by. Choose with only_fov of "
                "read_spots."
            )
        return every, "", match_shapes(sample, ways, patches, places)
    if not several:
        return every, "", match(sample)
    field, found = choose_field(sample, fields, names, ways, places, match)
    return np.flatnonzero(fields == field), names[field], found


def _fields(spots: pd.DataFrame) -> tuple[NDArray[np.int64], list[str]]:
    """Field of view of every spot, as its number among the names; -1 where it has none."""
    if "fov" not in spots:
        return np.zeros(0, np.int64), []
    codes, names = pd.factorize(spots["fov"])
    texts = [str(name) for name in names]
    order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), texts[i]))
    ranks = np.append(np.argsort(order), -1)
    return ranks[codes].astype(np.int64), [texts[i] for i in order]


def _one_frame(spots: pd.DataFrame, sample: Sample, fields: NDArray[Any]) -> bool:
    frame = spots.attrs.get("frame", "")
    return frame == "global" or (not frame and share_a_frame(sample.x, sample.y, fields))


def _z_ignored(spots: pd.DataFrame, places: CellPlaces) -> bool:
    return "z" in spots and len(places.shape) == 2


def _table(counts: Any, genes: list[str], places: CellPlaces, spots: pd.DataFrame) -> AnnData:
    flat = len(places.shape) == 2
    size = float(spots.attrs.get("pixel_size_um", 0.0)) if flat else 0.0
    obs = pd.DataFrame(
        {slots.LABEL: places.ids, slots.VOLUME: places.sizes}, index=places.ids.astype(str)
    )
    if size:
        obs[slots.AREA_UM2] = places.sizes * size**2
    cells = AnnData(counts, obs=obs, var=annotate(genes, slots.COUNTS))
    positions = places.centroids[:, ::-1] * (size or 1.0)
    cells.obsm[slots.SPATIAL] = np.ascontiguousarray(positions)
    unit = "um" if size else "px"
    slots.note(cells, **{slots.KIND: slots.COUNTS, slots.SPATIAL_UNIT: unit})
    return cells
