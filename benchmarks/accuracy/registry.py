"""The methods, and where each runs."""

import hashlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".venv-peers"
METHODS_FOLDER = Path(__file__).parent / "methods"
PACKAGE = ROOT / "src" / "napari_gluer"

OURS = (
    "integration/*.py",
    "neighbours.py",
    "ranking.py",
    "devices.py",
    "expression.py",
    "products.py",
)
"""What decides a result of this package, of everything in it."""

_ON_BASELINES = ("harmony", "fusing")


@dataclass(frozen=True)
class Method:
    """One row of the tables: ``methods/MODULE``, its function, its environment."""

    name: str
    title: str
    module: str
    environment: str = ""
    only: tuple[str, ...] = ()
    """Problems that it applies to; empty for all."""

    def applies(self, problem: str) -> bool:
        """Whether the method is meant for the problem."""
        return not self.only or problem in self.only

    def command(self, inputs: Path, outputs: Path, seed: int) -> list[str]:
        """The command of one run."""
        where = [str(inputs), str(outputs), str(seed)]
        if self.module.endswith(".R"):
            if not (found := shutil.which("Rscript")):
                raise FileNotFoundError("not installed: Rscript (Debian's r-cran-seurat)")
            return [found, "--vanilla", str(METHODS_FOLDER / self.module), *where]
        if not self.python.exists():
            raise FileNotFoundError(f"not installed: {self.name} (benchmarks/accuracy/environment)")
        worker = [str(self.python), "-m", "benchmarks.accuracy.worker"]
        return [*worker, self.module, self.name, *where]

    @property
    def python(self) -> Path:
        """Interpreter of the method's environment; our own for our methods and the baselines."""
        if not self.environment:
            return Path(sys.executable)
        return ENVIRONMENTS / self.environment / "bin" / "python"

    def version(self) -> str:
        """Digest of the code that the repository holds about the method."""
        name = self.module if self.module.endswith(".R") else f"{self.module}.py"
        files = [METHODS_FOLDER / name]
        if self.module in _ON_BASELINES:
            files.append(METHODS_FOLDER / "baselines.py")
        if self.module == "gluer":
            files += [path for pattern in OURS for path in sorted(PACKAGE.glob(pattern))]
        digest = hashlib.sha256()
        for path in files:
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]


SPATIAL = ("seqfish", "seqfish_genes", "sample", "mibi", "codex")

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("default", "**`default`**", "gluer"),
        Method("paper", "`paper`", "gluer"),
        Method("cosine", "cosine, standardised features", "baselines"),
        Method("joint_svd", "joint SVD 30, cosine", "baselines"),
        Method("harmony", "Harmony", "harmony", "harmonypy"),
        Method("seurat", "Seurat CCA anchors", "seurat.R"),
        Method("liger", "LIGER", "liger", "pyliger"),
        Method("maxfuse", "MaxFuse", "fusing", "maxfuse"),
        Method("tangram", "Tangram", "tangram", "tangram-sc", only=SPATIAL),
    )
}
