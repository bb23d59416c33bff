"""What all tests share: where the real data lie, the simulated tissue, how hypothesis runs."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from napari_gluer.sample import SampleTissue, sample_tissue

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = Path(
    os.environ.get("NAPARI_GLUER_SHARED_DATA", ROOT.parent / "shared" / "data")
).resolve()

settings.register_profile("napari-gluer", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("napari-gluer")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if SHARED_DATA.is_dir():
        return
    absent = pytest.mark.skip(
        reason=f"real data not at {SHARED_DATA}; set NAPARI_GLUER_SHARED_DATA to their folder"
    )
    for item in items:
        if "shared_data" in item.keywords or "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker(absent)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the real data sets."""
    return SHARED_DATA


@pytest.fixture(scope="session")
def tissue() -> SampleTissue:
    """The simulated tissue of seed 0; tests leave it as it is."""
    made = sample_tissue(0)
    made.image.data.flags.writeable = False
    made.labels.flags.writeable = False
    return made
