"""Time and peak memory of whole runs, one Markdown table: ``python benchmarks/run_real.py``.

Every run is a process of its own, started as a person would start it, imports included. Real data
are read from ``../shared/data`` beside the checkout, or from the folder that
``NAPARI_GLUER_SHARED_DATA`` names; what is absent is left out with a message.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("NAPARI_GLUER_SHARED_DATA", ROOT.parent / "shared" / "data"))
COMMAND = Path(sys.executable).with_name("napari-gluer")
BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
RNA = "citeseq_pbmc_bremsc/rna.h5ad"


@dataclass(frozen=True)
class Case:
    """One row of the table: what `napari-gluer run` is given (the demo where nothing is)."""

    name: str
    source: str = ""
    reference: str = ""

    @property
    def missing(self) -> list[Path]:
        """Files that are not there."""
        given = (DATA / part for part in (self.source, self.reference) if part)
        return [path for path in given if not path.exists()]

    def command(self, out: Path) -> list[str]:
        """The command that a person would type."""
        if not self.source:
            return [str(COMMAND), "demo", "--no-window", "--out", str(out)]
        inputs = [str(DATA / self.source), "--reference", str(DATA / self.reference)]
        return [str(COMMAND), "run", *inputs, "--out", str(out)]


CASES = (
    Case("(a) simulated tissue: `napari-gluer demo --no-window`"),
    Case(
        "(b) MIBI breast, 1,024² × 41 channels, segmented; PBMC reference",
        "mibi_dcis_simpleseg/Point2203_pt1072_31606.ome.tif",
        RNA,
    ),
    Case(
        "(c) CODEX spleen, table of 10,000 cells × 28 markers; PBMC reference",
        "codex_human_spleen/codex_spleen_10000x28.h5ad",
        RNA,
    ),
    Case(
        "(d) seqFISH cortex, table of 1,597 cells × 113 genes; Tasic reference",
        "seqfish_zhu_tasic/seqfish_113.h5ad",
        "seqfish_zhu_tasic/tasic_scrna_113.h5ad",
    ),
)


def measured(case: Case) -> str:
    """Run a case; its row of the table."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        out = Path(folder) / "out"
        start = time.perf_counter()
        process = subprocess.Popen(case.command(out), stdout=log, stderr=log)  # noqa: S603
        _, status, usage = os.wait4(process.pid, 0)  # this child's usage alone
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            return f"| {case.name} | failed: {log.read().strip().splitlines()[-1]} | | | | |"
        record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    steps = record["steps"]
    said = steps["integrate"]["outcome"]
    cells = re.search(r"^([\d,]+) cells", said)[1]
    features = re.search(r"over ([\d,]+) linked", said)[1]
    memory = usage.ru_maxrss * BYTES_PER_UNIT / 1e9
    return (
        f"| {case.name} | {cells} | {features} | {steps['integrate']['seconds']:.0f} "
        f"| {seconds:.0f} | {memory:.2f} |"
    )


def main() -> None:
    print(f"{os.cpu_count()} cores; load before the first run {os.getloadavg()[0]:.1f}\n")
    print("| run | cells | linked features | integrate, s | all, s | peak memory, GB |")
    print("|---|---|---|---|---|---|")
    for case in CASES:
        if case.missing:
            print(f"| {case.name} | not run: {case.missing[0]} is absent | | | | |", flush=True)
        else:
            print(measured(case), flush=True)


if __name__ == "__main__":
    main()
