"""Which feature of the cells stands for which genes of the reference."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import (
    Expression,
    detect_kind,
    expression,
    log_normalised,
    shown_kind,
    stored_values,
)
from napari_gluer.integration.matching import Feature, Match, match
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.markers import note_of
from napari_gluer.nomenclature.genes import (
    AS_WRITTEN,
    EDITED,
    GeneNames,
    split,
)

LINKED = "linked"
SILENT = "silent in the reference"
CONSTANT = "one value in all cells"
LESS_VARIABLE = "not among the most variable"
ABSENT = "not in the reference"
UNKNOWN = "no gene known"
NOT_EVERYWHERE = "not in all tables"

_LEAST_DETECTED = IntegrateParams().features.least_detected


def linked_features(
    cells: AnnData | Sequence[AnnData],
    reference: AnnData,
    *,
    least_detected: float = _LEAST_DETECTED,
) -> pd.DataFrame:
    """Features that the cells and the reference share.

    A feature stands for the genes in ``var["genes"]`` (``;``-separated), else for its own name. A
    gene is found as it is written, under a previous or newer symbol, by its Ensembl id, as the
    one-to-one orthologue of the other species, or where only upper and lower case differ.

    Parameters
    ----------
    cells
        Cells, or several tables of cells: then the features that all have. Where ``var["role"]``
        is given only markers count; genes with ``var["genes_source"]`` ``edited`` are final.
    reference
        Reads the gene names as `read_reference` does.
    least_detected
        Features whose genes fewer than this share of the reference cells express are left out.

    Returns
    -------
    pandas.DataFrame
        Indexed by feature; ``genes``: a tuple of the reference's genes, one or more; ``found``: how
        (``as written``, ``alias``, ``given genes``, ``edited``, ``previous symbol``,
        ``Ensembl id``, ``orthologue``, ``letter case``); ``note``: what to know of weak proxies;
        ``detected``: share of the reference cells that express any of the genes.
    """
    every = marker_links(cells, reference, least_detected=least_detected)
    return every.loc[every["state"] == LINKED].drop(columns="state")


def marker_links(
    cells: AnnData | Sequence[AnnData],
    reference: AnnData,
    *,
    least_detected: float = _LEAST_DETECTED,
) -> pd.DataFrame:
    """Every marker of the cells and what becomes of it: `linked_features` and the rest.

    Returns
    -------
    pandas.DataFrame
        As `linked_features`, with ``state``: ``linked``, ``silent in the reference``, ``not in the
        reference``, ``no gene known`` or ``not in all tables``. Where nothing is found ``genes`` is
        empty and ``detected`` NaN.
    """
    tables = [cells] if isinstance(cells, AnnData) else list(cells)
    expressed = expression(reference)
    links = links_between(tables, expressed.genes)
    shares = detected(reference_features(expressed, links))
    states = np.where(shares >= least_detected, LINKED, SILENT)
    found = links.assign(detected=shares, state=states)
    missing = {
        name: ((), "", note_of(name), np.nan, state)
        for name, state in missing_markers(tables, links).items()
    }
    rest = pd.DataFrame.from_dict(missing, orient="index", columns=list(found.columns))
    order = [name for name in _features(tables[0]) if name in found.index or name in missing]
    return pd.concat([found, rest.astype(found.dtypes)] if missing else [found]).loc[order]


def missing_markers(tables: Sequence[AnnData], links: pd.DataFrame) -> dict[str, str]:
    """Markers of the first table that are not among the links, and why."""
    others = [_features(other) for other in tables[1:]]
    reasons = {}
    for name, feature in _features(tables[0]).items():
        if name in links.index:
            continue
        if not all(name in other for other in others):
            reasons[name] = NOT_EVERYWHERE
        else:
            reasons[name] = ABSENT if feature.genes else UNKNOWN
    return reasons


def links_between(tables: Sequence[AnnData], genes: pd.Index) -> pd.DataFrame:
    """`linked_features` for gene names that are already read, silent ones too."""
    known = GeneNames(genes)
    found = _matches(tables[0], known)
    for other in tables[1:]:
        theirs = _matches(other, known)
        found = {name: one for name, one in found.items() if name in theirs}
        differ = [name for name, one in found.items() if one.genes != theirs[name].genes]
        if differ:
            raise InputError(
                f"The tables of cells link {listed(differ, 5)} to different genes; var['genes'] "
                "must say the same in all."
            )
    linked = {name: one for name, one in found.items() if one.genes}
    return pd.DataFrame(
        {
            "genes": pd.Series({name: one.genes for name, one in linked.items()}, dtype=object),
            "found": pd.Series({name: one.found for name, one in linked.items()}, dtype=object),
            "note": pd.Series(
                {name: _note(name, one) for name, one in linked.items()}, dtype=object
            ),
        }
    )


def detected(of_reference: Any) -> NDArray[np.float64]:
    """Share of the reference cells in which each feature is above 0, ``(n_links,)``."""
    cells = max(of_reference.shape[0], 1)
    return np.asarray(sparse.csc_matrix(of_reference > 0).getnnz(axis=0) / cells, np.float64)


def require_links(links: pd.DataFrame, cells: AnnData, genes: pd.Index) -> None:
    """Refuse to integrate what shares nothing."""
    if len(links):
        return
    raise InputError(
        "No feature of the cells is in the reference. The cells have "
        f"{listed(cells.var_names, 6)}; the reference has {listed(genes, 6)}. Are both of one "
        'species, and both gene symbols? Protein names are linked through var["genes"].'
    )


def require_heard(n_heard: int, links: pd.DataFrame, least_detected: float) -> None:
    """Refuse a reference in which every marker is silent."""
    if n_heard:
        return
    raise InputError(
        f"{len(links)} features link cells and reference ({listed(links.index, 6)}), but each is "
        f"expressed by fewer than {least_detected:.0%} of the reference cells. Use a reference of "
        "the same tissue, or set features.least_detected to 0."
    )


def require_varying(n_varying: int, links: pd.DataFrame) -> None:
    """Refuse links that tell no two cells apart."""
    if n_varying:
        return
    raise InputError(
        f"{len(links)} features link cells and reference ({listed(links.index, 6)}), but each has "
        "one value for all cells on one side or the other. More cells or other features are needed."
    )


def _note(name: str, found: Match) -> str:
    """Nothing where the feature is the gene itself."""
    return "" if found.found == AS_WRITTEN else note_of(name)


def _matches(cells: AnnData, known: GeneNames) -> dict[str, Match]:
    return {name: match(feature, known) for name, feature in _features(cells).items()}


def _features(cells: AnnData) -> dict[str, Feature]:
    """Markers of a table; columns without a name are none."""
    columns = zip(
        cells.var_names,
        _texts(cells, slots.GENES),
        _texts(cells, slots.GENES_SOURCE),
        cells.var[slots.ROLE] if slots.ROLE in cells.var else [slots.MARKER] * cells.n_vars,
        strict=True,
    )
    features = [
        Feature(str(name), split(genes), edited=source == EDITED)
        for name, genes, source, role in columns
        if role == slots.MARKER and not pd.isna(name) and str(name).strip()
    ]
    _require_own_names(pd.Index([feature.name for feature in features]))
    return {feature.name: feature for feature in features}


def _require_own_names(names: pd.Index) -> None:
    if not names.is_unique:
        repeated = names[names.duplicated()].unique()
        raise InputError(f"Features must have names of their own; repeated: {listed(repeated)}.")


def _texts(cells: AnnData, column: str) -> list[str]:
    if column not in cells.var:
        return [""] * cells.n_vars
    return [str(value) for value in cells.var[column].astype(object).fillna("")]


def reference_features(expressed: Expression, links: pd.DataFrame) -> sparse.csr_matrix:
    """CSR float32 ``(n_reference, n_links)``: for each feature the mean of its genes."""
    sizes = [len(genes) for genes in links["genes"]]
    rows = expressed.genes.get_indexer(pd.Index([g for genes in links["genes"] for g in genes]))
    columns = np.repeat(np.arange(len(links)), sizes)
    share = (1 / np.repeat(sizes, sizes)).astype(np.float32)
    averaging = sparse.csr_matrix((share, (rows, columns)), (len(expressed.genes), len(links)))
    return sparse.csr_matrix(expressed.matrix @ averaging)


def cell_features(cells: AnnData, links: pd.DataFrame) -> Any:
    """``(n_cells, n_links)``, non-negative, normalised as ``uns["gluer"]["kind"]`` asks.

    Counts and activities: log1p of counts per 10,000 over all markers. Raw intensities likewise:
    staining differs between cells as depth does. Cleaned intensities and log1p values: as they are.
    Counts that are fractions, and log1p values that are whole numbers, are taken as what they show
    (`doubt_of`); fractions that are no logarithms can be given as ``activity``.
    """
    values = _markers(cells)
    _require_own_names(values.var_names)
    matrix = _values(values)
    data = stored_values(matrix)
    if not np.isfinite(data).all() or (data.size and data.min() < 0):
        raise InputError(
            "The cells hold negative, NaN or infinite values; measure or load raw ones."
        )
    columns = values.var_names.get_indexer(links.index)
    if _is_normalised(cells, matrix):
        return matrix[:, columns].astype(np.float32)
    return log_normalised(matrix, slots.COUNTS)[:, columns]


def doubt_of(cells: AnnData) -> str:
    """What ``uns["gluer"]["kind"]`` says of the markers and is not so; empty where it is."""
    said = slots.info(cells).get(slots.KIND)
    return shown_kind(_values(_markers(cells)), said)[1] if said else ""


def _values(cells: AnnData) -> Any:
    return sparse.csr_matrix(cells.X) if sparse.issparse(cells.X) else np.asarray(cells.X)


def _markers(cells: AnnData) -> AnnData:
    if slots.ROLE not in cells.var:
        return cells
    return cells[:, (cells.var[slots.ROLE] == slots.MARKER).to_numpy()]


def _is_normalised(cells: AnnData, matrix: Any) -> bool:
    known = slots.info(cells)
    said = known.get(slots.KIND) or detect_kind(matrix)
    kind = said and shown_kind(matrix, said)[0]
    return kind == slots.LOG1P or (kind == slots.INTENSITY and slots.CLEAN in known)
