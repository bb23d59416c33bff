"""Pictures of the Reference, Integrate and Explore steps, taken from napari's window.

    tools/with_display python benchmarks/pictures/integrate_step.py OUT_DIR [light]

The sample's two sections are integrated together; then the real MIBI field is integrated with the
CITE-seq blood reference: another tissue, for the window's sake only. The data lie in the folder
that NAPARI_GLUER_SHARED_DATA names, or in ../shared/data.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

import napari
from cells_step import FIELD, REFERENCE, SHARED, SIZE, grab, settle, wait
from napari.settings import get_settings
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

import napari_gluer as ng
from napari_gluer._napari.attached import reference_metadata
from napari_gluer._napari.channel_layers import image_layers

SECTIONS = 2


def main(out: Path, theme: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    get_settings().appearance.theme = theme
    sections(out, theme)
    real_field(out, theme)


def sections(out: Path, theme: str) -> None:
    """Two simulated sections side by side, measured one by one, integrated together."""
    viewer = napari.Viewer(show=True)
    viewer.window.resize(*SIZE)
    reference = ng.sample_tissue(0).reference
    reference.obs["donor"] = [f"donor {i % 3 + 1}" for i in range(reference.n_obs)]
    for seed in range(SECTIONS):
        add_section(viewer, seed, reference)
    cells_step = dock(viewer, "Cells")
    for seed in range(SECTIONS):
        cells_step.cells_from.choose(viewer.layers[f"section {seed + 1}"])
        choose(cells_step.image, f"tissue {seed + 1}")
        done(cells_step)
    reference_step = dock(viewer, "Reference")
    click_row(reference_step.links, 3)
    settle()
    shot(viewer, out / f"reference_{theme}.png")
    reference_step.edit.click()
    settle()
    grab(reference_step.markers, out / f"markers_{theme}.png")
    reference_step.markers.reject()
    step = dock(viewer, "Integrate")
    step.sections.fold(folded=False)
    settle()
    click_row(step.others, 0)
    step.batch.setCurrentIndex(1)
    settle()
    shot(viewer, out / f"integrate_before_{theme}.png")
    done(step)
    shot(viewer, out / f"integrate_after_{theme}.png")
    print(step.outcome.toolTip())
    explore(viewer, "NKG7", out / f"explore_{theme}.png")
    viewer.close()


def real_field(out: Path, theme: str) -> None:
    """The MIBI field with a reference from its file."""
    data = Path(os.environ.get("NAPARI_GLUER_SHARED_DATA", SHARED))
    viewer = napari.Viewer(show=True)
    viewer.window.resize(*SIZE)
    viewer.open(str(data / FIELD), plugin="napari-gluer")
    done(dock(viewer, "Cells"))
    reference_step = dock(viewer, "Reference")
    reference_step.path.setText(str(data / REFERENCE))
    done(reference_step)
    shot(viewer, out / f"mibi_reference_{theme}.png")
    step = dock(viewer, "Integrate")
    settle()
    shot(viewer, out / f"mibi_integrate_before_{theme}.png")
    done(step)
    shot(viewer, out / f"mibi_integrate_after_{theme}.png")
    print(step.outcome.toolTip())
    explore(viewer, "CD3E", out / f"mibi_explore_{theme}.png")
    viewer.close()


def add_section(viewer: napari.Viewer, seed: int, reference: Any) -> None:
    tissue = ng.sample_tissue(seed)
    right = (0, seed * tissue.labels.shape[1] * tissue.image.pixel_size_um * 1.05)
    place: dict[str, Any] = {}
    for data, kwargs, _ in image_layers(tissue.image, f"tissue {seed + 1}"):
        layer = viewer.add_image(data, **{**kwargs, "translate": right})
        layer.visible = "DAPI" in layer.name
        place = {"scale": layer.scale, "units": layer.units, "translate": right}
    viewer.add_labels(
        tissue.labels,
        name=f"section {seed + 1}",
        metadata=reference_metadata(reference),
        visible=False,
        **place,
    )
    viewer.reset_view()


def explore(viewer: napari.Viewer, gene: str, path: Path) -> None:
    step = dock(viewer, "Explore")
    step.search_box.setText(gene)
    step.list.pick_first()
    wait(step)
    shot(viewer, path)


def dock(viewer: napari.Viewer, name: str) -> Any:
    _, step = viewer.window.add_plugin_dock_widget("napari-gluer", name)
    settle()
    return step


def done(step: Any) -> None:
    started = time.monotonic()
    step.run.click()
    wait(step)
    print(f"{step.title}: {time.monotonic() - started:.1f} s, {step.outcome.text()}")


def choose(picker: Any, name: str) -> None:
    rows = [i for i in range(picker.count()) if name in picker.itemText(i)]
    picker.setCurrentIndex(rows[0])


def click_row(view: Any, row: int) -> None:
    """A click on the tick of a row."""
    place = view.visualRect(view.model().index(row, 0))
    at = place.topLeft() + QPoint(10, place.height() // 2)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


def shot(viewer: napari.Viewer, path: Path) -> None:
    settle()
    viewer.screenshot(path=str(path), canvas_only=False, flash=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "dark")
