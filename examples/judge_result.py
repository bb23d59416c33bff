"""How far may a result be believed? Held-out genes, a run on permuted features, one cell."""

from pathlib import Path

import napari_gluer as ng

tissue = ng.sample_tissue(seed=0)
cells = ng.clean(ng.measure(tissue.image, tissue.labels)[:500].copy())
cells = ng.integrate(cells, tissue.reference, seed=0)

# Measured genes are left out of the link in turn, imputed, and compared with what was measured.
# Fewer folds and permuted runs than the default, so that it takes seconds.
few = ng.ReportParams(held_out=ng.ValidateParams(folds=2), permuted_runs=1)
report = ng.validation_report(cells, tissue.reference, few)
print(*report.summary, sep="\n")
print(report.genes.genes[["spearman", "grade"]])

# Of genes that were not measured: which ones can be expected to be told at all?
expected = report.reliability["predicted"].sort_values(ascending=False)
print(expected.head(10))

# One cell: its type, what decided it, and the reference cells that it draws on.
label = int(cells.obs["label"].iloc[0])
print(ng.explain_cell(cells, tissue.reference, label, column="cell_type").text)

out = Path("judge_result")
out.mkdir(exist_ok=True)
(out / "report.html").write_text(report.html, encoding="utf-8")
