"""What goes to a method and what comes back, as files that any language reads.

Needs numpy and scipy only, because methods run in environments of their own.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float32]
Names = list[str]
_BETWEEN = ";"


@dataclass(frozen=True, eq=False)
class Inputs:
    """All that a method may see of a problem.

    Attributes
    ----------
    reference, cells
        float32 ``(n_reference, n_features)`` and ``(n_cells, n_features)``: the linked features,
        normalised (log1p of counts per 10,000, or as the cells' kind asks).
    features, genes_of_features
        Name of each linked feature, and the genes it stands for.
    expression, genes
        CSR float32 ``(n_reference, n_genes)``, log1p of counts per 10,000: the whole reference.
    reference_types
        Type of each reference cell, ``(n_reference,)``; empty where there are none.
    targets
        What to impute: for each target the genes whose mean it is.
    """

    reference: Array
    cells: Array
    features: Names
    genes_of_features: list[Names]
    expression: sparse.csr_matrix
    genes: Names
    reference_types: NDArray[np.str_]
    targets: list[Names]

    def target_values(self) -> Array:
        """The targets in the reference, dense ``(n_reference, n_targets)``."""
        place = {gene: i for i, gene in enumerate(self.genes)}
        rows = [place[gene] for genes in self.targets for gene in genes]
        sizes = np.array([len(genes) for genes in self.targets], int)
        share = (1 / np.repeat(sizes, sizes)).astype(np.float32)
        shape = (len(self.genes), len(sizes))
        mean = sparse.csr_matrix((share, (rows, np.repeat(np.arange(len(sizes)), sizes))), shape)
        return np.asarray((self.expression @ mean).toarray(), np.float32)

    def write(self, folder: Path) -> None:
        """One ``.npy`` for each array, one line of text for each name."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("reference", "cells"):
            _save(folder / name, getattr(self, name))
        csr = self.expression.tocsr()
        np.save(folder / "expression_data.npy", csr.data.astype(np.float32))
        np.save(folder / "expression_indices.npy", csr.indices.astype(np.int32))
        np.save(folder / "expression_indptr.npy", csr.indptr.astype(np.int32))
        write_names(folder / "features.txt", self.features)
        write_names(folder / "genes.txt", self.genes)
        write_names(folder / "reference_types.txt", self.reference_types)
        write_names(folder / "genes_of_features.txt", map(_BETWEEN.join, self.genes_of_features))
        write_names(folder / "targets.txt", map(_BETWEEN.join, self.targets))

    @classmethod
    def read(cls, folder: Path) -> "Inputs":
        """Read what `write` wrote."""
        reference = np.load(folder / "reference.npy")
        genes = read_names(folder / "genes.txt")
        parts = (
            np.load(folder / f"expression_{part}.npy") for part in ("data", "indices", "indptr")
        )
        return cls(
            reference=reference,
            cells=np.load(folder / "cells.npy"),
            features=read_names(folder / "features.txt"),
            genes_of_features=_split(folder / "genes_of_features.txt"),
            expression=sparse.csr_matrix(tuple(parts), (len(reference), len(genes))),
            genes=genes,
            reference_types=np.array(read_names(folder / "reference_types.txt"), str),
            targets=_split(folder / "targets.txt"),
        )


@dataclass(frozen=True, eq=False)
class Outputs:
    """What a method gives; None where it gives no such thing.

    Attributes
    ----------
    reference, cells
        The co-embedding, ``(n_reference, k)`` and ``(n_cells, k)``; distances are Euclidean.
    types
        The method's own transferred type of each cell.
    imputed
        The method's own values of the targets, ``(n_cells, n_targets)``.
    """

    reference: Array | None = None
    cells: Array | None = None
    types: NDArray[np.str_] | None = None
    imputed: Array | None = None

    def write(self, folder: Path) -> None:
        """Write what there is."""
        for name in ("reference", "cells", "imputed"):
            if getattr(self, name) is not None:
                _save(folder / name, getattr(self, name))
        if self.types is not None:
            write_names(folder / "types.txt", self.types)

    @classmethod
    def read(cls, folder: Path) -> "Outputs":
        """Read what `write` wrote, also from R."""
        arrays = {
            name: np.load(folder / f"{name}.npy")
            for name in ("reference", "cells", "imputed")
            if (folder / f"{name}.npy").exists()
        }
        types = folder / "types.txt"
        return cls(**arrays, types=np.array(read_names(types), str) if types.exists() else None)


@dataclass
class Clock:
    """Seconds on the wall and of all threads of this process, by what was done."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """Time the block as `what`."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds[what] = time.perf_counter() - wall
        self.cpu_seconds[what] = time.process_time() - cpu

    def write(self, folder: Path, versions: dict[str, str]) -> None:
        """Times, versions and the peak memory of this process so far, in MB."""
        told = {
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "peak_mb": peak_mb(),
            "versions": versions,
        }
        (folder / "usage.json").write_text(json.dumps(told), encoding="utf-8")


def peak_mb() -> float:
    """Peak of this process's memory; Linux hands `getrusage`'s down from parent to child."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def write_names(path: Path, names: "map[str] | Names | NDArray[np.str_]") -> None:
    """One name a line."""
    lines = [str(name) for name in names]
    if any("\n" in line for line in lines):
        raise ValueError(f"A name in {path.name} holds a line break.")
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read_names(path: Path) -> Names:
    """The lines of a file."""
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def _split(path: Path) -> list[Names]:
    return [line.split(_BETWEEN) for line in read_names(path)]


def _save(path: Path, values: Array) -> None:
    """In C order, which the reader in R expects."""
    np.save(path.with_suffix(".npy"), np.ascontiguousarray(values, np.float32))
