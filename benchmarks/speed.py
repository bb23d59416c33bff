"""Speed and memory of the integration, as Markdown: ``python -m benchmarks.speed``.

Every case is a process of its own on 2 threads; `default`, one seed. Peers are called as
`benchmarks/accuracy` calls them, on the same files, and say so where they are not installed.
Simulated cells have 20 types: 30 markers as intensities, beside a sparse reference of 2,000 genes
(counts, a tenth of them above 0) in which the 30 are found; so the reference's transcriptome takes
part. The sparse case has counts of 1,500 genes on both sides. Seconds are those of `integrate`
alone, after a first small call that loads the compiled code.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from benchmarks.accuracy.exchange import peak_mb
from benchmarks.accuracy.registry import METHODS
from benchmarks.accuracy.running import problem_folder, problem_meta
from numpy.typing import NDArray
from scipy import sparse

import napari_gluer as ng

ROOT = Path(__file__).resolve().parents[1]
TWO_THREADS = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "2"
)
PEERS = ("default", "seurat", "liger", "maxfuse", "harmony", "paper")
TYPES, MARKERS, GENES = 20, 30, 2000
SIZES = (12_500, 25_000, 50_000, 100_000)
SPLEEN = (7_000, 9_000)
SPARSE_CELLS, SPARSE_GENES = 50_000, 1_500
LIMIT_S = 3600


def counts(profiles: NDArray[np.float64], types: NDArray[np.intp], seed: int) -> sparse.csr_matrix:
    """Poisson counts of every cell, made a few thousand cells at a time."""
    rng = np.random.default_rng(seed)
    parts = [
        sparse.csr_matrix(rng.poisson(profiles[part]).astype(np.float32))
        for part in np.array_split(types, max(1, len(types) // 4000))
    ]
    return sparse.vstack(parts, format="csr")


def profiles_of(n_genes: int) -> NDArray[np.float64]:
    """Mean count of every gene in every type, ``(20, n_genes)``."""
    rng = np.random.default_rng(0)
    profiles = rng.lognormal(0, 1, n_genes) * rng.lognormal(0, 1, (TYPES, n_genes))
    return 0.12 * profiles / profiles.mean()


def tissue(n_reference: int, n_cells: int) -> tuple[AnnData, AnnData]:
    """Reference of 2,000 genes and cells of 30 markers."""
    rng = np.random.default_rng(1)
    profiles = profiles_of(GENES)
    profiles[:, :MARKERS] *= 5 / profiles[:, :MARKERS].mean()
    of_reference, of_cells = (rng.integers(0, TYPES, n) for n in (n_reference, n_cells))
    genes = [f"GENE{i}" for i in range(GENES)]
    reference = table(counts(profiles, of_reference, 2), genes, "reference")
    bright = profiles[of_cells, :MARKERS] * rng.gamma(4, 50, (n_cells, MARKERS))
    cells = table(bright.astype(np.float32), genes[:MARKERS], "cell")
    cells.uns["gluer"] = {"kind": "intensity"}
    return reference, cells


def gene_rich() -> tuple[AnnData, AnnData]:
    """Sparse counts of 1,500 shared genes on both sides."""
    rng = np.random.default_rng(1)
    profiles = profiles_of(SPARSE_GENES)
    genes = [f"GENE{i}" for i in range(SPARSE_GENES)]
    reference, cells = (
        table(counts(profiles, rng.integers(0, TYPES, SPARSE_CELLS), seed), genes, name)
        for seed, name in ((2, "reference"), (3, "cell"))
    )
    cells.uns["gluer"] = {"kind": "counts"}
    return reference, cells


def table(values: "sparse.csr_matrix | np.ndarray", genes: list[str], name: str) -> AnnData:
    return AnnData(
        values,
        obs=pd.DataFrame(index=[f"{name} {i}" for i in range(values.shape[0])]),
        var=pd.DataFrame({"genes": genes}, index=genes),
    )


def measured(case: str, *, umap: bool) -> dict[str, Any]:
    """In a process of its own: seconds and peak memory of one case."""
    sizes = [int(size) for size in case.split("x")] if case != "sparse" else []
    ng.coembed(integrated := ng.integrate(*tissue(500, 400)[::-1]), tissue(500, 400)[0])
    del integrated
    reference, cells = tissue(*sizes) if sizes else gene_rich()
    before = resident_mb()
    forget_peak()
    start, cpu = time.perf_counter(), time.process_time()
    found = ng.integrate(cells, reference)
    told: dict[str, Any] = {"seconds": time.perf_counter() - start, "peak_mb": peak_mb()}
    told["cpu_seconds"] = time.process_time() - cpu
    told["rise_mb"] = peak_mb() - before
    told["steps"] = json.loads(found.uns["gluer"]["timings"])
    if umap:
        ng.coembed(found, reference)
        told["with_umap"] = time.perf_counter() - start
    return told


def resident_mb() -> float:
    """Memory of this process now, where Linux tells; else its peak so far."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return peak_mb()
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / 1e6


def forget_peak() -> None:
    """Let the peak start anew from what is held now, where the system allows it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        print("the peak includes making the data", file=sys.stderr)


def run_case(case: str, *, umap: bool = False) -> dict[str, Any]:
    words = [sys.executable, "-m", "benchmarks.speed", "--case", case, *["--umap"] * umap]
    done = subprocess.run(  # noqa: S603
        words, cwd=ROOT, env=os.environ | TWO_THREADS, stdout=subprocess.PIPE, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    print(case, found, file=sys.stderr, flush=True)
    return dict(found)


def run_peer(name: str) -> dict[str, float] | str:
    """Seconds and peak MB of a method on SNARE-seq, or why there are none."""
    inputs = problem_folder("snareseq", 0) / "inputs"
    with tempfile.TemporaryDirectory() as folder:
        try:
            words = METHODS[name].command(inputs, Path(folder), 0)
            done = subprocess.run(  # noqa: S603
                words,
                cwd=ROOT,
                env=os.environ | TWO_THREADS,
                capture_output=True,
                text=True,
                check=False,
                timeout=LIMIT_S,
            )
        except FileNotFoundError as missing:
            return str(missing)
        except subprocess.TimeoutExpired:
            return f"more than {LIMIT_S} s"
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["ended without a word"])[-1][:120]
        usage = json.loads((Path(folder) / "usage.json").read_text(encoding="utf-8"))
    print(name, usage, file=sys.stderr, flush=True)
    return {
        "seconds": usage["seconds"]["integration"],
        "cpu_seconds": usage["cpu_seconds"]["integration"],
        "peak_mb": usage["peak_mb"],
    }


def print_peers() -> None:
    sizes = problem_meta("snareseq", 0)["sizes"]
    print(
        f"SNARE-seq, {sizes['reference']:,} reference cells × {sizes['cells']:,} cells × "
        f"{sizes['features']:,} features\n"
    )
    print("| method | integration, s | of all cores, s | times `default` | peak memory, GB |")
    print("|---|---|---|---|---|")
    run_peer("default")  # so that everything is compiled
    found = {name: run_peer(name) for name in PEERS}
    ours = found["default"]
    for name, result in found.items():
        if isinstance(result, str) or isinstance(ours, str):
            print(f"| {METHODS[name].title} | {result} | | | |")
            continue
        ratio = result["seconds"] / ours["seconds"]
        print(
            f"| {METHODS[name].title} | {result['seconds']:.1f} | {result['cpu_seconds']:.1f} "
            f"| {ratio:.1f} | {result['peak_mb'] / 1e3:.2f} |"
        )


def print_sizes() -> None:
    print("\n30 markers, a reference of 2,000 genes\n")
    print(
        "| reference × cells | integrate, s | of all cores, s | with UMAP, clusters, s | peak, GB |"
    )
    print("|---|---|---|---|---|")
    peaks = []
    for n_reference, n_cells in [SPLEEN, *((size, size) for size in SIZES)]:
        found = run_case(f"{n_reference}x{n_cells}", umap=n_reference == SPLEEN[0])
        umap = f"{found['with_umap']:.0f}" if "with_umap" in found else ""
        print(
            f"| {n_reference:,} × {n_cells:,} | {found['seconds']:.1f} "
            f"| {found['cpu_seconds']:.1f} | {umap} | {found['peak_mb'] / 1e3:.2f} |",
            flush=True,
        )
        peaks.append(found["peak_mb"])
    slope, start = np.polyfit(SIZES, np.array(peaks[1:], float) * 1e6, 1)
    apart = np.abs(np.array(peaks[1:], float) * 1e6 - (start + slope * np.array(SIZES)))
    print(
        f"\nPeak memory grows by {slope:,.0f} bytes with each reference cell and cell together, "
        f"from {start / 1e6:,.0f} MB; the four sizes lie within {apart.max() / 1e6:,.0f} MB of "
        "that line."
    )


def print_sparse() -> None:
    found = run_case("sparse")
    dense = 2 * SPARSE_CELLS * SPARSE_GENES * 4 / 1e6
    print(
        f"\nSparse counts, {SPARSE_CELLS:,} × {SPARSE_CELLS:,} cells × {SPARSE_GENES:,} genes: "
        f"{found['seconds']:.0f} s; {found['rise_mb']:,.0f} MB beyond the inputs, where the two "
        f"matrices made dense would take {dense:,.0f} MB."
    )


def main(parts: list[str]) -> None:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"2 threads, load {load:.1f} at the start. {platform.platform()}\n")
    for part, show in PARTS.items():
        if part in parts:
            show()


PARTS = {"peers": print_peers, "sizes": print_sizes, "sparse": print_sparse}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--case", help="used by itself")
    parser.add_argument("--umap", action="store_true", help="used by itself")
    given = parser.parse_args()
    if given.case:
        print(json.dumps(measured(given.case, umap=given.umap)))
    else:
        main(given.parts)
