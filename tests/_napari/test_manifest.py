"""The manifest is valid, installed as written, and every command it names can be called."""

import importlib.metadata
from pathlib import Path

import pytest
from npe2 import PluginManifest

from napari_gluer._napari.guide.dock import PANELS
from napari_gluer._napari.guide.states import TITLES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_file(ROOT / "napari.yaml")


def test_the_installed_manifest_is_the_file() -> None:
    entries = importlib.metadata.entry_points(group="napari.manifest")
    entry = next(one for one in entries if one.name == "napari-gluer")
    package, file = entry.value.split(":")
    folder = importlib.util.find_spec(package)
    assert folder is not None
    installed = Path(next(iter(folder.submodule_search_locations or []))) / file
    assert installed.read_text() == (ROOT / "napari.yaml").read_text(), "run: pip install -e ."


def test_napari_finds_the_same_manifest(manifest: PluginManifest) -> None:
    assert PluginManifest.from_distribution("napari-gluer").contributions == manifest.contributions


def test_every_command_can_be_imported(manifest: PluginManifest) -> None:
    manifest.validate_imports()


def test_the_guide_and_then_its_steps_are_in_the_menu_in_order(manifest: PluginManifest) -> None:
    names = [one.display_name for one in manifest.contributions.widgets or []]
    assert names[:6] == ["GLUER", *TITLES]


def test_every_panel_that_the_guide_opens_is_a_widget(manifest: PluginManifest) -> None:
    names = {one.display_name for one in manifest.contributions.widgets or []}
    assert set(PANELS) <= names


def test_layers_menus_name_our_commands(manifest: PluginManifest) -> None:
    known = {one.id for one in manifest.contributions.commands or []}
    menus = manifest.contributions.menus
    named = {item.command for items in menus.values() for item in items}
    assert named <= known
    assert {"napari/layers/segment", "napari/layers/measure", "napari/layers/visualize"} <= set(
        menus
    )


def test_the_sample_says_that_it_is_simulated(manifest: PluginManifest) -> None:
    samples = manifest.contributions.sample_data or []
    assert all("simulated" in one.display_name.casefold() for one in samples)
