"""What a method with a model file needs is asked for, one thing after the other."""

from pathlib import Path

import pytest

from napari_gluer.errors import InputError
from napari_gluer.segmentation.models import refuse_missing


def test_a_package_that_is_missing_comes_first() -> None:
    with pytest.raises(InputError, match=r"^Method is not installed.*'napari-gluer\[extra\]'"):
        refuse_missing("no-such-package-anywhere", "extra", "Method", "")


def test_then_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^Method needs a model file: give its path"):
        refuse_missing("numpy", "extra", "Method", "")
    with pytest.raises(InputError, match=f"There is no model file {tmp_path} for Method"):
        refuse_missing("numpy", "extra", "Method", str(tmp_path))
    (tmp_path / "m.pt").write_bytes(b"model")
    refuse_missing("numpy", "extra", "Method", str(tmp_path / "m.pt"))
