"""A kill at any moment leaves the old file or the new one (see killed.py)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed.py")
KILLS = int(os.environ.get("NAPARI_GLUER_KILLS", "5"))  # of each of ten kinds
KINDS = {"h5ad", "zarr", "zip", "csv", "parquet", "geojson", "tiff", "ome-zarr", "map", "run"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
def test_a_kill_at_any_moment_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own script
        [sys.executable, "-W", "ignore", str(SCRIPT), str(tmp_path), str(KILLS)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert set(found) == KINDS
    assert all(len(generations) == KILLS + 1 for generations in found.values())
    finished = sum(generations[-1] > generations[0] for generations in found.values())
    assert finished >= len(KINDS) // 2, f"too few writings ended before they were killed: {found}"
