"""Settings from a file: which wins, what is refused, and that what is printed reads back."""

import json
import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st

import napari_gluer as ng
from napari_gluer import cli
from napari_gluer.cli.application import ALWAYS, app
from napari_gluer.cli.faults import commands_of
from napari_gluer.cli.printing import toml_value
from napari_gluer.cli.settings import FromFile

CALL = ["a.tif", "--reference", "r.h5ad", "--out", "o"]


def bound(words: list[str], config: Path | None = None) -> dict[str, Any]:
    """What the function of a command would be called with."""
    app.config = (*([] if config is None else [FromFile(config)]), *ALWAYS)
    try:
        _, arguments, _ = app.parse_args(words)
    finally:
        app.config = ALWAYS
    arguments.apply_defaults()
    return dict(arguments.arguments)


def printed(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main([*words, "--print-config"]) == 0
    return capsys.readouterr().out


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1, said.err
    return said.err


def written(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_flag_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    file = written(tmp_path, "seed = 5\ngenes = ['A', 'B']\n[cluster]\nresolution = 2\n")
    found = bound(["run", *CALL, "--seed", "7", "--cluster.n-neighbors", "9"], file)
    assert found["seed"] == 7
    assert found["params"].genes == ("A", "B")
    assert found["params"].cluster == ng.ClusterParams(n_neighbors=9, resolution=2)
    assert bound(["run", *CALL], file)["seed"] == 5
    assert bound(["run", *CALL])["seed"] == 0


def test_inputs_may_stand_in_the_file_and_hyphens_do(tmp_path: Path) -> None:
    text = "source = ['a.tif', 'b.tif']\nreference = 'r.h5ad'\nout = 'o'\n[segment]\n"
    file = written(tmp_path, text + "nuclear-channels = ['DNA1', 'DNA2']\n[measure]\n")
    found = bound(["run"], file)
    assert found["source"] == ["a.tif", "b.tif"]
    assert found["reference"] == Path("r.h5ad")
    assert found["params"].segment.nuclear_channels == ("DNA1", "DNA2")
    assert bound(["run", "c.tif"], file)["source"] == ["c.tif"]


@pytest.mark.parametrize(
    "flags",
    [
        [],
        ["--integrate.preset", "paper"],
        ["--integrate.preset", "paper", "--integrate.factorize.rank", "7"],
        ["--integrate.factorize.update.constant", "2", "--integrate.factorize.rank", "5"],
        ["--clean.size.kind", "skip", "--clean.no-divide-by-total"],
        ["--integrate.preset", "paper", "--clean.size.kind", "skip"],
        ["--segment.growth.reach", "3", "--segment.method.kind", "cellpose", "--series", "two"],
        ["--genes", "A", 'with "quotes"', "\\", "é", "--integrate.network.hidden", "8", "4"],
        ["--pixel-size-um", "0.5", "0.3", "--tiles.side", "512", "--integrate.features.only", "A"],
    ],
)
def test_printed_settings_give_the_same_call(
    flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(["run", *CALL, *flags], capsys)
    assert bound(["run"], written(tmp_path, text)) == bound(["run", *CALL, *flags])


def test_every_command_prints_settings_that_it_reads_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = commands_of(app)
    assert {"segment", "measure", "run", "integrate", "demo", "hand-over"} <= set(commands)
    for command in commands:
        text = printed([command], capsys)
        again = printed([command, "--config", str(written(tmp_path, text))], capsys)
        assert again == text, command
        assert tomllib.loads(text) or "(required)" in text


def test_another_preset_can_be_chosen_in_the_printed_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(["run", *CALL, "--integrate.factorize.rank", "7"], capsys)
    file = written(tmp_path, text.replace('preset = "default"', 'preset = "paper"'))
    expected = ng.PipelineParams(integrate={"preset": "paper", "factorize": {"rank": 7}})
    assert bound(["run"], file)["params"] == expected


def test_print_config_does_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tomllib.loads(printed(["run", *CALL], capsys))["source"] == ["a.tif"]
    assert not list(tmp_path.iterdir())


UNKNOWN = {
    "seedd = 1": ("seedd", "seed"),
    "[segment]\nnuclear_chanels = ['x']": (
        "segment.nuclear_chanels",
        "segment.nuclear_channels",
    ),
    "[integrate.factorise]\nrank = 3": ("integrate.factorise.rank", "integrate.factorize.rank"),
}


@pytest.mark.parametrize("text", UNKNOWN)
def test_an_unknown_key_is_one_error_that_names_key_and_file(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, text)
    said = refused(["run", *CALL, "--config", str(file)], capsys)
    wrong, meant = UNKNOWN[text]
    assert f"{file}: `run` has no setting {wrong!r}. Did you mean {meant!r}?" in said


BAD_VALUES = {
    "[cluster]\nresolution = -2": "cluster.resolution should be greater than 0; found '-2'",
    "seed = 'x'": "seed",
    "seed = [1, 2]": "seed",
    "segment = 3": "segment",
    "[integrate]\npreset = 'best'": "should be 'default' or 'paper'; found 'best'",
    "[segment.method]\nkind = 'cellpose'\nthreshold = 1": "no setting of cellpose",
    "[cluster": "not a TOML file",
}


@pytest.mark.parametrize("text", BAD_VALUES)
def test_a_bad_value_is_one_error_that_names_setting_and_file(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, text)
    said = refused(["run", *CALL, "--config", str(file)], capsys)
    assert "run.toml" in said
    assert BAD_VALUES[text] in said


def test_config_needs_one_file_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert "one TOML file" in refused(["run", *CALL, "--config"], capsys)
    assert "one TOML file" in refused(["run", "--config", "a", "--config=b"], capsys)
    assert "none.toml: No such file" in refused(["run", "--config", "none.toml"], capsys)


def test_words_behind_two_hyphens_are_no_settings() -> None:
    asked = cli.application.Asked.of(["impute", "--config=a.toml", "--", "--config", "--help-all"])
    assert asked.words == ("impute", "--", "--config", "--help-all")
    assert asked.config == Path("a.toml")
    assert not asked.help_all


def test_the_method_is_found_from_its_settings() -> None:
    found = bound(["segment", "a.tif", "--out", "b", "--method.threshold", "0.5"])["params"]
    assert found.method == ng.Watershed(threshold=0.5)
    found = bound(["segment", "a.tif", "--out", "b", "--growth.weight", "2"])["params"]
    assert found.growth == ng.Membrane(weight=2)


def test_settings_of_several_methods_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    call = ["segment", "a.tif", "--out", "b.tif"]
    said = refused([*call, "--method.model", "m"], capsys)
    assert "--method.kind cellpose or instanseg" in said
    said = refused([*call, "--method.model", "m", "--method.threshold", "1"], capsys)
    assert "belong to different methods" in said
    said = refused([*call, "--method.kind", "cellpose", "--method.threshold", "1"], capsys)
    assert "--method.threshold is no setting of cellpose" in said


def test_a_flag_for_another_method_drops_the_files_settings_of_the_first(tmp_path: Path) -> None:
    text = "[segment.method]\nkind = 'watershed'\nthreshold = 0.5\n"
    words = ["run", *CALL, "--segment.method.kind", "cellpose", "--segment.method.model", "m"]
    found = bound(words, written(tmp_path, text))["params"]
    assert found.segment.method == ng.Cellpose(model="m")


def test_a_file_decides_what_is_computed(tmp_path: Path) -> None:
    table = AnnData(np.random.default_rng(0).poisson(5, (30, 2)).astype(np.float32))
    table.var_names = ["CD4", "CD19"]
    table.write_h5ad(tmp_path / "cells.h5ad")
    file = written(tmp_path, "seed = 3\n[network]\nmax_epochs = 2\n[factorize]\nrank = 2\n")
    words = ["integrate", tmp_path / "cells.h5ad", "--reference", tmp_path / "cells.h5ad"]
    words += ["--out", tmp_path / "done.h5ad", "--config", file, "--seed", "4"]
    assert cli.main([str(word) for word in words]) == 0
    known = ng.read_cells(tmp_path / "done.h5ad").uns["gluer"]
    params = json.loads(known["params"])
    assert (params["network"]["max_epochs"], params["factorize"]["rank"]) == (2, 2)
    assert known["seed"] == 4


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)


@given(st.lists(texts | numbers | st.booleans(), max_size=5) | texts | numbers | st.booleans())
def test_values_read_back_from_toml(value: Any) -> None:
    found = tomllib.loads(f"key = {toml_value(value)}")["key"]
    assert found == value
    assert type(found) is type(value)


def test_infinities_read_back_from_toml() -> None:
    assert tomllib.loads(f"key = {toml_value(-math.inf)}")["key"] == -math.inf
