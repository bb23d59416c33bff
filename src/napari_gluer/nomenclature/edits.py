"""A person's own mapping from channels to genes: checked, and kept with the table of cells."""

import csv
import difflib
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.nomenclature.genes import EDITED, GeneNames, split

_CHANNEL = ("channel", "marker", "antigen", "protein", "name", "feature")
_GENES = ("genes", "gene", "symbol", "symbols", "gene_symbol", "gene_symbols")
_ROLES = (slots.MARKER, slots.NUCLEAR, slots.BLANK, slots.IGNORE)


def edited(
    cells: AnnData, genes: Mapping[str, str], known_genes: Collection[str] | None = None
) -> AnnData:
    """A copy of the cells in which some channels stand for other genes.

    Parameters
    ----------
    cells
        Table of cells.
    genes
        Channel → gene symbols, ``;``-separated; "" leaves the channel out of every link.
    known_genes
        Genes of a reference, to check the symbols against: as written, under an older or newer
        symbol, by Ensembl id, or as the one-to-one orthologue. No check when None.

    Returns
    -------
    AnnData
        With ``var["genes"]`` set, ``var["genes_source"]`` ``edited`` for these channels, and
        ``var["role"]`` ``marker`` for those that were given genes.

    Raises
    ------
    InputError
        If a channel is not there or its name is repeated, or a gene is not known; near names are
        suggested.
    """
    _require_channels(cells, genes)
    wanted = {name: split(str(text)) for name, text in genes.items()}
    if known_genes is not None:
        _require_genes(wanted, known_genes)
    changed = cells.copy()
    texts, sources = _texts(changed, slots.GENES), _texts(changed, slots.GENES_SOURCE)
    places = {name: changed.var_names.get_loc(name) for name in wanted}
    for name, found in wanted.items():
        texts[places[name]], sources[places[name]] = ";".join(found), EDITED
    changed.var[slots.GENES], changed.var[slots.GENES_SOURCE] = texts, sources
    if slots.ROLE in changed.var:
        roles = _texts(changed, slots.ROLE)
        for name, found in wanted.items():
            roles[places[name]] = slots.MARKER if found else roles[places[name]]
        changed.var[slots.ROLE] = roles
    return changed


def read_marker_table(path: Path | str) -> pd.DataFrame:
    """Read a person's own table of channels and genes.

    Parameters
    ----------
    path
        CSV or TSV in UTF-8 with a column ``channel`` (or marker, antigen, protein, name), a column
        ``genes`` (or gene, symbol; several ``;``-separated) and, if wanted, ``role`` (marker,
        nuclear, blank or ignore).

    Returns
    -------
    pandas.DataFrame
        Indexed by channel: ``genes`` and, where the file has it, ``role``. Empty where left so.

    Raises
    ------
    InputError
        If the file is no such table, or names a channel twice.
    """
    path = Path(path)
    rows = _rows(path)
    heads = [head.strip().casefold() for head in rows[0]] if rows else []
    channel, genes = (next((h for h in heads if h in names), None) for names in (_CHANNEL, _GENES))
    if channel is None or genes is None:
        raise InputError(
            f"{path.name}: a table of markers has a column 'channel' and a column 'genes'; this "
            f"one has {listed(heads)}."
        )
    wanted = [channel, genes, *([slots.ROLE] if slots.ROLE in heads else [])]
    cells = [_padded(row, len(heads)) for row in rows[1:] if any(cell.strip() for cell in row)]
    table = pd.DataFrame(cells, columns=heads, dtype=object)[wanted]
    table.columns = pd.Index(["channel", slots.GENES, slots.ROLE][: len(wanted)])
    stripped = {str(name): table[name].str.strip() for name in table}
    named: pd.DataFrame = pd.DataFrame(stripped).set_index("channel")
    _require_sound(named, path.name)
    return named


def with_marker_table(
    cells: AnnData, table: pd.DataFrame, known_genes: Collection[str] | None = None
) -> AnnData:
    """A copy of the cells with the genes and roles of a person's own table.

    Parameters
    ----------
    cells
        Table of cells.
    table
        From `read_marker_table`. Channels that the cells lack are passed over, so that one table
        serves several panels; roles left empty stay as they are.
    known_genes
        As in `edited`.

    Raises
    ------
    InputError
        If no channel of the table is in the cells, or as `edited` does.
    """
    there = table[table.index.isin(cells.var_names)]
    if not len(there):
        raise InputError(
            f"No channel of the table of markers is in the cells. The table has "
            f"{listed(table.index, 6)}; the cells have {listed(cells.var_names, 6)}."
        )
    genes = {str(name): str(text) for name, text in there[slots.GENES].items()}
    changed = edited(cells, genes, known_genes)
    if slots.ROLE in there:
        roles = _texts(changed, slots.ROLE, slots.MARKER)
        for name, role in there[slots.ROLE].items():
            if role:
                roles[changed.var_names.get_loc(name)] = role
        changed.var[slots.ROLE] = roles
    return changed


def _require_channels(cells: AnnData, genes: Mapping[str, str]) -> None:
    missing = [name for name in genes if name not in cells.var_names]
    if missing:
        raise InputError(
            f"The cells have no channel {listed(missing)}; they have {listed(cells.var_names)}."
        )
    repeated = cells.var_names[cells.var_names.duplicated()]
    unclear = [name for name in genes if name in repeated]
    if unclear:
        raise InputError(f"Channels need names of their own; repeated: {listed(unclear)}.")


def _require_genes(wanted: Mapping[str, tuple[str, ...]], known_genes: Collection[str]) -> None:
    known = GeneNames(known_genes)
    for channel, genes in wanted.items():
        for gene in genes:
            if known.same_gene(gene) or known.orthologue(gene) or known.letter_case(gene):
                continue
            near = difflib.get_close_matches(gene.upper(), _capitals(known), 3, 0.6)
            names = [_capitals(known)[name] for name in near]
            hint = f" Near: {listed(names)}." if names else ""
            raise InputError(f"{channel}: the reference has no gene {gene!r}.{hint}")


def _capitals(known: GeneNames) -> dict[str, str]:
    return {name.upper(): name for name in sorted(known.exact)}


def _require_sound(table: pd.DataFrame, name: str) -> None:
    repeated = table.index[table.index.duplicated()]
    if len(repeated) or (table.index == "").any():
        found = f"{listed(repeated)} is there twice" if len(repeated) else "one row has none"
        raise InputError(f"{name}: every row needs a channel of its own; {found}.")
    roles = table[slots.ROLE] if slots.ROLE in table else pd.Series(dtype=object)
    strange = [role for role in roles if role and role not in _ROLES]
    if strange:
        raise InputError(f"{name}: a role is one of {listed(_ROLES)}; found {listed(strange)}.")


def _rows(path: Path) -> list[list[str]]:
    try:
        text = path.read_text("utf-8-sig")
        first = text.split("\n", 1)[0]
        mark = max("\t;,", key=first.count)
        return list(csv.reader(text.splitlines(), delimiter=mark))
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path.name} is no text table of markers: {error}.") from error


def _padded(row: list[str], width: int) -> list[str]:
    return [*row[:width], *([""] * (width - len(row)))]


def _texts(cells: AnnData, column: str, default: str = "") -> np.ndarray:
    if column not in cells.var:
        return np.full(cells.n_vars, default, dtype=object)
    values = cells.var[column].astype(object)
    return np.array(["" if pd.isna(value) else str(value) for value in values], dtype=object)
