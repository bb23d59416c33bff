"""Gene activity and gene-peak links on SNARE-seq: ``python -m benchmarks.trust.omics``.

No annotation comes with the data, but their authors' activities do: sums of peaks by a table of
links. That table is found again (a peak of a gene is never open in a cell where the gene's
activity is 0), and each gene whose sum comes out exactly gives an interval. `gene_activity` on
these intervals must give the authors' numbers. Then every gene is correlated with the peaks within
100 kb of its interval's start, measured and imputed.
"""

import numpy as np
import pandas as pd
from anndata import AnnData
from benchmarks.accuracy.datasets import DATA
from scipy import sparse

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer.analysis.activity import ActivityParams, gene_activity
from napari_gluer.analysis.intervals import peak_intervals
from napari_gluer.analysis.peak_links import PeakLinkParams, gene_peak_links
from napari_gluer.expression import expression

FOLDER = DATA / "snareseq_mouse_cortex"
LEAST_CELLS = 5
LINKED_GENES = 200


def found_again(peaks: AnnData, activity: AnnData) -> pd.DataFrame:
    """Intervals of genes whose activity is exactly the sum of the peaks found for them."""
    counts, sums = sparse.csc_matrix(peaks.X), sparse.csc_matrix(activity.X)
    places = peak_intervals(peaks.var_names)
    open_in = counts.astype(bool).astype(np.float32)
    together = np.asarray((open_in.T @ sums.astype(bool).astype(np.float32)).todense())
    cells = np.asarray(open_in.sum(axis=0)).ravel()
    rows = []
    for j, gene in enumerate(activity.var_names):
        own = np.flatnonzero((together[:, j] == cells) & (cells >= LEAST_CELLS))
        if not len(own):
            continue
        at = places.iloc[own]
        chromosome = at["chromosome"].mode().iloc[0]
        own = own[(at["chromosome"] == chromosome).to_numpy()]
        low, high = places["start"].iloc[own].min(), places["end"].iloc[own].max()
        inside = (places["chromosome"] == chromosome) & (places["start"] >= low)
        inside &= places["end"] <= high
        total = np.asarray(counts[:, np.flatnonzero(inside)].sum(axis=1)).ravel()
        exact = np.array_equal(total, sums[:, [j]].toarray().ravel())
        rows.append((str(gene), chromosome, int(low), int(high), "+", exact))
    columns = ["gene", "chromosome", "start", "end", "strand", "exact"]
    return pd.DataFrame(rows, columns=columns)


def summary(links: pd.DataFrame) -> str:
    """How many pairs, how many found, and how near those are."""
    found = links[(links["fdr"] < 0.05) & (links["pearson"] > 0)]
    inside = (links["distance"].abs() < 5_000).mean()
    near = (found["distance"].abs() < 5_000).mean() if len(found) else np.nan
    return (
        f"{len(links):,} pairs, {len(found):,} with r > 0 and FDR < 5 %; within 5 kb of the start "
        f"{near:.0%} of those, {inside:.0%} of all; their median r {found['pearson'].median():.2f}"
    )


def main() -> None:
    """Print what came out."""
    peaks = ng.read_cells(FOLDER / "atac_peaks.h5ad", kind="counts")
    theirs = ng.read_cells(FOLDER / "gene_activity.h5ad", kind="activity")
    annotation = found_again(peaks, theirs)
    exact = annotation[annotation["exact"]].drop(columns="exact")
    print(f"{len(exact):,} of {theirs.n_vars:,} genes: sums of peaks found again exactly.")
    ours = gene_activity(peaks, exact, ActivityParams(upstream_bp=0, least_enrichment=0))
    same = np.asarray(
        [
            np.array_equal(ours[:, gene].X.toarray(), theirs[:, gene].X.toarray())
            for gene in exact["gene"]
        ]
    )
    print(f"gene_activity gives the authors' numbers for {same.sum():,} of {len(same):,} of them.")

    reference = ng.read_reference(FOLDER / "rna.h5ad")
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(reference.n_obs)[:3000])
    some, other = reference[rows].copy(), theirs[rows].copy()
    cells = ng.integrate(other, some, seed=0)
    variable = pd.Series(np.asarray(expression(some).matrix.power(2).mean(axis=0)).ravel())
    variable.index = expression(some).genes
    genes = variable.loc[[g for g in exact["gene"] if g in variable.index]].nlargest(LINKED_GENES)
    near = peaks[rows].copy()
    near.obsm["X_gluer"] = cells.obsm["X_gluer"]
    names = list(genes.index)
    measured = pd.DataFrame(expression(some).columns(names), slots.cell_names(near), names)
    imputed = pd.DataFrame(ng.impute(cells, some, names), slots.cell_names(near), names)
    for kind, values in (("measured", measured), ("imputed", imputed)):
        links = gene_peak_links(near, values, exact, PeakLinkParams(), genes=names, seed=0)
        print(f"{kind}: {summary(links)}")


if __name__ == "__main__":
    main()
