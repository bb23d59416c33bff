import json

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from napari_gluer import slots
from napari_gluer.expression import expression, fingerprint
from napari_gluer.integration.variable import most_telling_genes

N = 60


def made(logs: dict[str, np.ndarray], links: dict[str, str]) -> tuple[AnnData, AnnData]:
    """Cells that are copies of the reference cells: imputed values are `logs`."""
    values = np.column_stack(list(logs.values())).astype(np.float32)
    reference = AnnData(values, var=pd.DataFrame(index=list(logs)))
    slots.note(reference, kind="log1p")
    cells = AnnData(np.ones((N, 1), np.float32))
    cells.obsm[slots.WEIGHTS] = sparse.identity(N, np.float32, "csr")
    slots.note(
        cells,
        reference_names=np.array(reference.obs_names, object),
        reference_fingerprint=fingerprint(reference, expression(reference)),
        links=json.dumps(links),
    )
    return cells, reference


def patterns() -> np.ndarray:
    """Three columns, centred, of length 1 and at right angles."""
    raw = np.random.default_rng(0).normal(size=(N, 3))
    return np.linalg.qr(raw - raw.mean(axis=0))[0]


def test_the_most_variable_then_what_it_does_not_explain() -> None:
    a, b, c = patterns().T
    logs = {"LOW": 2 + c, "COPY": 5 + 4 * a, "HIGH": 5 + 5 * a, "OTHER": 5 + 3 * b}
    cells, reference = made(logs, {"M": "NONE"})
    assert most_telling_genes(cells, reference, 1) == ["HIGH"]
    assert most_telling_genes(cells, reference, 3) == ["HIGH", "OTHER", "LOW"]


def test_measured_genes_are_not_taken() -> None:
    a, b, c = patterns().T
    logs = {"MEASURED": 9 + 7 * c, "ALSO": 9 + 8 * b, "FREE": 5 + 4 * a, "LITTLE": 3 + b}
    cells, reference = made(logs, {"Protein": "MEASURED;ALSO"})
    assert most_telling_genes(cells, reference, 1) == ["FREE"]
    assert most_telling_genes(cells, reference, 2) == ["FREE", "LITTLE"]
    assert set(most_telling_genes(cells, reference, 10)) <= {"FREE", "LITTLE"}


def test_no_gene_twice() -> None:
    a, b, _ = patterns().T
    logs = {"A": 5 + 4 * a, "TWIN": 5 + 4 * a, "B": 5 + 3 * b}
    cells, reference = made(logs, {})
    taken = most_telling_genes(cells, reference, 3)
    assert len(set(taken)) == len(taken)
    assert taken[:2] in (["A", "B"], ["TWIN", "B"])
