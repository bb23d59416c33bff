"""Values become JSON and arrays, and come back; nothing is pickled."""

import json
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.utils.colormaps import CyclicLabelColormap, DirectLabelColormap, ensure_colormap

from napari_gluer._napari.session.plain import (
    UnplainError,
    from_plain,
    read_arrays,
    to_plain,
    write_arrays,
)
from napari_gluer.errors import InputError

_leaf = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5)
_leaf |= st.floats(allow_nan=False, allow_infinity=False)
_values = st.recursive(
    _leaf,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=8,
)


def _through(value: Any) -> Any:
    arrays: dict[str, np.ndarray] = {}
    stored = json.loads(json.dumps(to_plain(value, arrays)))
    return from_plain(stored, arrays)


@given(_values)
def test_plain_values_come_back(value: Any) -> None:
    assert _through(value) == value


def test_arrays_and_tables_come_back() -> None:
    array = np.arange(6, dtype=np.uint16).reshape(2, 3)
    table = pd.DataFrame({"gene": ["a", None], "n": [1.5, np.nan]})
    found = _through({"a": [array, array], "t": table})
    np.testing.assert_array_equal(found["a"][0], array)
    assert found["a"][0].dtype == np.uint16
    assert found["t"]["gene"].tolist() == ["a", None]
    np.testing.assert_array_equal(found["t"]["n"], [1.5, np.nan])


def test_the_same_array_is_stored_once() -> None:
    arrays: dict[str, np.ndarray] = {}
    array = np.arange(3)
    to_plain([array, array], arrays)
    assert len(arrays) == 1


def test_colour_maps_come_back() -> None:
    direct = DirectLabelColormap(color_dict={None: "transparent", 0: "transparent", 2: "red"})
    again = _through(direct)
    np.testing.assert_array_equal(again.map(np.array([0, 2, 5])), direct.map(np.array([0, 2, 5])))
    cyclic = CyclicLabelColormap(colors=np.eye(4), seed=0.25)
    np.testing.assert_allclose(_through(cyclic).colors, cyclic.colors)
    viridis = ensure_colormap("viridis")
    np.testing.assert_allclose(_through(viridis).map([0.3]), viridis.map([0.3]))


def test_enumerations_become_their_values_and_other_things_are_refused() -> None:
    class Side(Enum):
        LEFT = "left"

    assert _through(Side.LEFT) == "left"
    with pytest.raises(UnplainError, match="object cannot be saved"):
        to_plain({"x": object()}, {})


def test_arrays_of_objects_are_never_read(tmp_path: Path) -> None:
    write_arrays({"a": np.arange(3)}, tmp_path / "good.npz")
    assert read_arrays(tmp_path / "good.npz")["a"].tolist() == [0, 1, 2]
    np.savez(tmp_path / "bad.npz", a=np.array([{}], dtype=object))
    with pytest.raises(InputError, match="cannot be read"):
        read_arrays(tmp_path / "bad.npz")
