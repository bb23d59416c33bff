"""Finished tiles are kept in a folder, and a run that stopped goes on from there."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.segmentation.nuclei import SegmentParams, segment, segment_nuclei_and_cells
from napari_gluer.segmentation.params import Expansion, Watershed
from napari_gluer.tiles import TileParams
from napari_gluer.track import Cancelled

from .pictures import dapi, hard_picture

PIXELS = hard_picture(11, (150, 160), 6.0)
PARAMS = SegmentParams(growth=Expansion(distance=2.0))
TILES = TileParams(side=50, workers=1)


class Counted:
    """Pixels that count how often they are read, and fail when told to."""

    def __init__(self, fail_after: int = 10**9) -> None:
        self.shape, self.dtype, self.ndim = (1, *PIXELS.shape), PIXELS.dtype, 3
        self.reads = 0
        self.fail_after = fail_after

    def __getitem__(self, key: Any) -> Any:
        self.reads += 1
        if self.reads > self.fail_after:
            raise OSError("the disk is gone")
        return PIXELS[np.newaxis][key]


def counted(fail_after: int = 10**9) -> tuple[Counted, MultiplexImage]:
    data = Counted(fail_after)
    return data, MultiplexImage(data, ["DAPI"])


def test_a_store_gives_the_same_labels_lazily(tmp_path: Path) -> None:
    whole = segment_nuclei_and_cells(dapi(PIXELS), PARAMS)
    stored = segment_nuclei_and_cells(dapi(PIXELS), PARAMS, tiles=TILES, store=tmp_path / "s")
    for part, full in zip(stored, whole, strict=True):
        assert isinstance(part, zarr.Array)
        np.testing.assert_array_equal(np.asarray(part[20:60, 5:90]), full[20:60, 5:90])
        np.testing.assert_array_equal(np.asarray(part[:]), full)


def test_a_finished_run_reads_next_to_nothing_again(tmp_path: Path) -> None:
    first, image = counted()
    segment(image, PARAMS, tiles=TILES, store=tmp_path / "s")
    again, image = counted()
    segment(image, PARAMS, tiles=TILES, store=tmp_path / "s")
    _, fresh = counted()
    prints = 9  # windows of the fingerprint
    assert again.reads <= prints < first.reads
    assert fresh.spatial_shape == PIXELS.shape


def test_a_run_that_failed_goes_on(tmp_path: Path) -> None:
    whole, image = counted()
    expected = segment(image, PARAMS, tiles=TILES, store=tmp_path / "whole")
    _, broken = counted(fail_after=whole.reads - 3)
    with pytest.raises(OSError, match="disk is gone"):
        segment(broken, PARAMS, tiles=TILES, store=tmp_path / "s")
    rest, image = counted()
    found = segment(image, PARAMS, tiles=TILES, store=tmp_path / "s")
    np.testing.assert_array_equal(np.asarray(found[:]), np.asarray(expected[:]))
    assert rest.reads < whole.reads - 8


def test_a_folder_of_other_work_is_refused(tmp_path: Path) -> None:
    segment(dapi(PIXELS), PARAMS, tiles=TILES, store=tmp_path / "s")
    other = SegmentParams(method=Watershed(threshold=0.5))
    with pytest.raises(InputError, match=r"other work.*params"):
        segment(dapi(PIXELS), other, tiles=TILES, store=tmp_path / "s")
    with pytest.raises(InputError, match=r"other work.*pixels"):
        segment(dapi(PIXELS + 1), PARAMS, tiles=TILES, store=tmp_path / "s")
    with pytest.raises(InputError, match=r"other work.*side"):
        segment(dapi(PIXELS), PARAMS, tiles=TileParams(side=40), store=tmp_path / "s")


CHILD = """
import sys, time
import numpy as np
from napari_gluer.image import MultiplexImage
from napari_gluer.segmentation.nuclei import SegmentParams, segment
from napari_gluer.segmentation.params import Expansion
from napari_gluer.tiles import TileParams
def slowly(items, desc):
    for item in items:
        print(desc, flush=True)
        time.sleep(0.1)
        yield item
image = MultiplexImage(np.load(sys.argv[1])[np.newaxis], ["DAPI"])
segment(image, SegmentParams(growth=Expansion(distance=2.0)),
        tiles=TileParams(side=50, workers=1), store=sys.argv[2], track=slowly)
"""


@pytest.mark.parametrize("stage", ["Finding nuclei", "Joining nuclei", "Growing cells"])
def test_a_killed_process_loses_only_its_tile(tmp_path: Path, stage: str) -> None:
    np.save(tmp_path / "pixels.npy", PIXELS)
    arguments = [sys.executable, "-c", CHILD, str(tmp_path / "pixels.npy"), str(tmp_path / "s")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603
        assert child.stdout is not None
        seen = 0
        for line in child.stdout:
            seen += line.strip() == stage
            if seen == 4:
                os.kill(child.pid, signal.SIGKILL)
                break
    assert child.returncode == -signal.SIGKILL
    folder = {"Finding nuclei": "basins", "Joining nuclei": "nuclei", "Growing cells": "cells"}
    done = set((tmp_path / "s" / "done" / folder[stage]).glob("*.json"))
    assert 1 <= len(done) <= 4
    before = {path: path.stat().st_mtime_ns for path in done}
    found = segment(dapi(PIXELS), PARAMS, tiles=TILES, store=tmp_path / "s")
    np.testing.assert_array_equal(np.asarray(found[:]), segment(dapi(PIXELS), PARAMS))
    assert {path: path.stat().st_mtime_ns for path in done} == before


class Stopped:
    """A track that is cancelled some time after a stage began."""

    def __init__(self, stage: str, seconds: float) -> None:
        self.stage, self.seconds = stage, seconds
        self.began = float("inf")

    def __call__(self, items: Iterable[Any], desc: str, /) -> Iterator[Any]:
        for item in items:
            if desc == self.stage:
                self.began = min(self.began, time.perf_counter())
            yield item

    def stop_if_asked(self) -> None:
        if time.perf_counter() - self.began > self.seconds:
            raise Cancelled


def test_a_big_tile_stops_within_two_seconds() -> None:
    image = dapi(np.tile(PIXELS, (12, 12)))
    track = Stopped("Finding nuclei", 0.05)
    with pytest.raises(Cancelled):
        segment(image, PARAMS, tiles=TileParams(side=4000), track=track)
    assert time.perf_counter() - track.began < 2.05
