"""What a report says of an integration without computing anything anew, as tables and sentences."""

import json
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from napari_gluer import slots
from napari_gluer.expression import expression
from napari_gluer.integration.transfer import usual_type_column
from napari_gluer.trust.explaining import integrated_links

_HASH_LETTERS = 12


def integrated_facts(cells: AnnData, reference: AnnData) -> pd.DataFrame:
    """What was integrated with what, how, and with which versions: one column, ``value``."""
    known, expressed = slots.info(cells), expression(reference)
    own = {"Cells": f"{cells.n_obs:,}", "Their features": f"{cells.n_vars:,}"}
    own |= {"Their values": str(known.get(slots.KIND, "not said"))}
    own |= _file("Their file", known, "path", "sha256")
    other = {
        "Reference cells": f"{reference.n_obs:,}",
        "Reference genes": f"{len(expressed.genes):,}",
        "Its expression": str(known.get("reference_expression", "")),
    }
    other |= _file("Its file", known, "reference_path", "reference_sha256")
    how = {
        "Linked features": f"{len(json.loads(known['links'])):,}",
        "Anchors": f"{int(known['n_anchors']):,}",
        "Factors": str(known["rank"]),
        "Seed": str(known["seed"]),
        "Preset": json.loads(known["params"]).get("preset", ""),
        "Versions": ", ".join(f"{a} {b}" for a, b in json.loads(known["versions"]).items()),
    }
    return pd.DataFrame({"value": own | other | how})


def _file(name: str, known: dict[str, Any], path: str, digest: str) -> dict[str, str]:
    if path not in known:
        return {}
    short = str(known.get(digest, ""))[:_HASH_LETTERS]
    return {name: f"{known[path]} (SHA-256 {short}…)" if short else str(known[path])}


def link_table(cells: AnnData, reference: AnnData) -> pd.DataFrame:
    """Linked features: genes, how they were found, what to know, share of cells that express."""
    links = integrated_links(cells, reference)
    details = json.loads(slots.info(cells)["link_details"])
    return pd.DataFrame(
        {
            "genes": ["; ".join(genes) for genes in links["genes"]],
            "found": links["found"].to_numpy(),
            "reference cells that express it": [
                float(details[name]["detected"]) for name in links.index
            ],
            "note": links["note"].to_numpy(),
        },
        index=links.index.rename("feature"),
    )


def unlinked_table(cells: AnnData) -> pd.DataFrame:
    """Features that took no part, and why."""
    unlinked: dict[str, str] = json.loads(slots.info(cells)["unlinked"])
    index = pd.Index(list(unlinked), name="feature")
    return pd.DataFrame({"why": list(unlinked.values())}, index=index)


def types_of(cells: AnnData, reference: AnnData) -> str:
    """The column of types that the confidence was judged by; empty where there is none."""
    column = json.loads(slots.info(cells).get("absence", "{}")).get("column", "")
    return str(column) if column in reference.obs else usual_type_column(reference)


def confidence_by_type(cells: AnnData, named: pd.DataFrame) -> pd.DataFrame:
    """Cells of every transferred type: how many, how sure, how many of them unmatched.

    Parameters
    ----------
    named
        Of `transfer_labels` with ``unmatched="named"``.
    """
    types, chance = named.iloc[:, 0], named.iloc[:, 1].to_numpy(float)
    unmatched = slots.unmatched(cells)
    rows = []
    for name in types.cat.categories:
        own = (types == name).to_numpy()
        if own.any():
            rows.append(
                (name, int(own.sum()), chance[own].mean(), (chance[own] >= 0.8).mean(),
                 unmatched[own].mean())
            )  # fmt: skip
    columns = ["type", "cells", "mean chance to be right", "share with 0.8 or more", "unmatched"]
    table = pd.DataFrame(rows, columns=columns).set_index("type")
    return table.sort_values("cells", ascending=False, kind="stable")


def absent_types(cells: AnnData) -> tuple[str, pd.DataFrame]:
    """The sentence on absent types, and the AUROC of every type that was left out on trial."""
    known = json.loads(slots.info(cells).get("absence", "{}"))
    auroc = known.get("auroc", {})
    index = pd.Index(list(auroc), name="type left out on trial")
    table = pd.DataFrame({"AUROC": np.array(list(auroc.values()), float)}, index=index)
    return str(known.get("text", "")), table.sort_values("AUROC", kind="stable")


def true_types(cells: AnnData, named: pd.DataFrame, column: str) -> np.ndarray | None:
    """Which labels are right, where the cells have a column of that name; else None.

    Cells without a type of their own are left out as NaN.
    """
    if column not in cells.obs:
        return None
    own = cells.obs[column].astype("string").str.strip()
    if not own.isin(named.iloc[:, 0].cat.categories.astype(str).str.strip()).any():
        return None
    called = named.iloc[:, 0].astype("string").str.strip().fillna("").to_numpy(object)
    right = (own.fillna("").to_numpy(object) == called).astype(float)
    return np.where(own.isna(), np.nan, right)
