"""The walk of the tutorial runs as described, and its pictures are those in the documentation."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "docs" / "images" / "tutorial"
SCRIPT = ROOT / "benchmarks" / "pictures" / "tutorial.py"
COARSE = (160, 100)  # letters and single cells may fall a pixel aside on another machine
MOST_APART = 0.03  # mean difference of brightness, of 1; another panel or theme is above .1
MOST_CHANGED = 0.06  # share of the coarse pixels that may differ clearly


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tutorial")
    settings = {"NAPARI_CONFIG": str(out / "settings.yaml")}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "ignore", str(SCRIPT), str(out)],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return out


def coarse(path: Path) -> np.ndarray:
    small = Image.open(path).convert("RGB").resize(COARSE, Image.Resampling.BOX)
    return np.asarray(small, float) / 255


def test_every_picture_is_made_and_shown() -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"images/tutorial/(\w+)\.png", text))
    assert shown == {path.stem for path in KEPT.glob("*.png")}


def test_the_walk_makes_the_pictures_of_the_documentation(made: Path) -> None:
    wrong = {}
    for path in sorted(KEPT.glob("*.png")):
        apart = np.abs(coarse(path) - coarse(made / path.name))
        mean, changed = apart.mean(), (apart.max(axis=2) > 0.2).mean()
        if mean > MOST_APART or changed > MOST_CHANGED:
            wrong[path.name] = (round(float(mean), 4), round(float(changed), 4))
    assert not wrong


def test_pictures_of_different_steps_would_not_pass(made: Path) -> None:
    names = sorted(path.name for path in made.glob("*.png"))
    for one, other in pairwise(names):
        apart = np.abs(coarse(made / one) - coarse(made / other))
        assert (apart.max(axis=2) > 0.2).mean() > 0.01, (one, other)
