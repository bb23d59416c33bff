"""Columns of a reference: which hold types, and which may name batches."""

import re

import pandas as pd
from anndata import AnnData

from napari_gluer.errors import InputError
from napari_gluer.integration.transfer import membership

_FEWEST, _MOST_TYPES, _MOST_BATCHES = 2, 200, 2000
_FEWEST_CELLS = 10  # of a batch, on average
_BATCH = re.compile(
    r"batch|donor|sample|patient|subject|individual|librar|replicate|experiment|dataset|study|"
    r"lane|plate|chip|orig[._ ]?ident|chemistry|(^|[._ ])(run|mouse|animal|assay|pool)([._ ]|\d|$)"
)
_NO_BATCH = re.compile(r"type|class|cluster|leiden|louvain|annot|lineage|label|subset|state|phase")


def label_columns(reference: AnnData) -> list[str]:
    """Columns of ``obs`` that hold types: text with 2 to 200 different values, no batches."""
    return [
        str(name)
        for name, column in reference.obs.items()
        if not pd.api.types.is_numeric_dtype(column.dtype)
        and _FEWEST <= column.nunique() <= min(_MOST_TYPES, len(column) // 2)
        and not is_likely_batch(str(name))
        and _holds_types(reference, str(name))
    ]


def batch_columns(reference: AnnData) -> list[str]:
    """Columns of ``obs`` that may name batches, those that are called so first.

    Text, true or false, or whole numbers; of 2 values or more, each with 10 cells on average.
    Columns of types and clusters are left out: batches are made alike, and types must not be.
    """
    found = [
        str(name)
        for name, column in reference.obs.items()
        if column.dtype.kind not in "fcmM"
        and not _NO_BATCH.search(str(name).casefold())
        and _FEWEST <= column.nunique() <= min(_MOST_BATCHES, len(column) // _FEWEST_CELLS)
    ]
    return sorted(found, key=lambda name: not is_likely_batch(name))


def is_likely_batch(column: str) -> bool:
    """Whether the name of a column says batch, donor, sample or the like."""
    name = column.casefold()
    return _BATCH.search(name) is not None and _NO_BATCH.search(name) is None


def _holds_types(reference: AnnData, column: str) -> bool:
    """Whether the column can be transferred: some that look like types say nothing."""
    try:
        membership(reference, column)
    except InputError:
        return False
    return True
