"""The pictures of docs/tutorial.md, taken from napari's window by the clicks that it describes.

    tools/with_display python benchmarks/pictures/tutorial.py docs/images/tutorial
    tools/with_display python benchmarks/pictures/tutorial.py OUT_DIR --real [--theme light]

The first makes those of the simulated tissue, which are kept; CI makes them again and compares
(tests/_napari/test_tutorial.py). With ``--real`` the walk goes over the MIBI field and the CODEX
spleen table in the folder that NAPARI_GLUER_SHARED_DATA names, or in ../shared/data; their pictures
are not kept. A blood reference on breast tissue is for the window's sake only.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from napari.settings import get_settings
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.paintables import Origin, Paintable

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
MIBI = "mibi_dcis_simpleseg/Point2203_pt1072_31606.ome.tif"
CITE = "citeseq_pbmc_bremsc/rna.h5ad"
SIZE = (1280, 800)
COMMON = 96  # colours
LONGEST = 400  # seconds a step may take


class Walk:
    """One window, and the clicks of a person in it."""

    def __init__(self, out: Path) -> None:
        self.out = out
        out.mkdir(parents=True, exist_ok=True)
        self.viewer = napari.Viewer(show=True)
        self.viewer.window.resize(*SIZE)
        _, self.guide = self.viewer.window.add_plugin_dock_widget("napari-gluer", "GLUER")
        settle()

    def step(self, title: str) -> Any:
        """Unfold a step of the guide, by its header or by “Next”."""
        following = self.guide.next
        if following.isVisible() and title in following.text():
            click(following)
        else:
            click(self.guide.headers[title].button)
        settle()
        return self.guide.steps[title]

    def run(self, title: str) -> Any:
        """Do a step with what it proposes."""
        step = self.step(title)
        click(step.run)
        wait(step)
        print(f"{title}: {step.outcome.text()}")
        return step

    def paint(self, name: str) -> None:
        """Type a name in Explore and press Enter."""
        step = (
            self.step("Explore") if self.guide.opened != "Explore" else self.guide.steps["Explore"]
        )
        step.search_box.clear()
        QTest.keyClicks(step.search_box, name)
        QTest.keyClick(step.search_box, Qt.Key.Key_Return)
        wait(step)

    def panel(self, name: str) -> Any:
        """Open another panel beside the guide."""
        dock, step = self.viewer.window.add_plugin_dock_widget("napari-gluer", name)
        dock.raise_()
        settle()
        return step

    def shot(self, name: str) -> None:
        """Keep a picture of the whole window."""
        settle()
        pixels = self.viewer.screenshot(canvas_only=False, flash=False)
        picture = Image.fromarray(np.asarray(pixels)[..., :3])
        if picture.size != SIZE:
            picture = picture.resize(SIZE)
        small(picture).save(self.out / f"{name}.png", optimize=True)


def small(picture: Image.Image) -> Image.Image:
    """In 256 colours: the commonest as they are, and those that cover the rest.

    Fewer by how common they are would give the colours of small groups to others.
    """
    counted = picture.getcolors(picture.width * picture.height) or []
    common = [color for _, color in sorted(counted, reverse=True)[:COMMON]]
    rest = picture.quantize(256 - COMMON, Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for color in common for part in color] + rest)
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def sample(out: Path) -> None:
    """The simulated tissue, from opening it to a selection and its plot."""
    walk = Walk(out)
    click(walk.guide.steps["Image"].sample)
    settle(2)
    walk.shot("1_image")
    walk.run("Cells")
    outline(walk.viewer)
    walk.shot("2_cells")
    walk.run("Reference")
    walk.shot("3_reference")
    walk.run("Integrate")
    walk.shot("4_integrate")
    walk.paint("CST3")
    walk.shot("5_gene")
    walk.paint("cell_type")
    walk.shot("6_types")
    panels(walk)
    walk.viewer.close()


def panels(walk: Walk) -> None:
    """Embedding, a cell's card, plots and the list of what was done."""
    embedding = walk.panel("Embedding")
    lay_out(embedding, "UMAP")
    layer = walk.guide.layer
    cells = layer.metadata["gluer"]["cells"]
    kind = cells.obs["cell_type_transferred"].astype(str)
    chosen = cells.obs["label"][(kind == kind.value_counts().index[1]).to_numpy()]
    linked_of(layer).selections.choose(chosen)
    walk.shot("7_embedding")
    linked_of(layer).selections.clear()
    card = walk.panel("Cell")
    card.number.setText(str(int(cells.obs["label"].iloc[1500 % cells.n_obs])))
    QTest.keyClick(card.number, Qt.Key.Key_Return)
    wait(card)
    walk.shot("8_cell")
    walk.viewer.reset_view()
    plots = walk.panel("Plots")
    plots.by.setCurrentText("cell_type")
    for gene in ("CST3", "NKG7", "CD79A"):
        plots.genes.add(Paintable(gene, Origin.GENE))
    click(plots.run)
    wait(plots)
    walk.shot("9_plots")
    walk.panel("History and session")
    walk.shot("10_history")


def lay_out(embedding: Any, kind: str) -> None:
    embedding.controls.kind.setCurrentText(kind)
    settle()
    click(embedding.run)
    wait(embedding)


def mibi(out: Path, data: Path) -> None:
    """The MIBI field, with CITE-seq of blood for its reference."""
    walk = Walk(out)
    walk.guide.steps["Image"].open(str(data / MIBI))
    settle(2)
    walk.shot("mibi_1_image")
    walk.run("Cells")
    outline(walk.viewer)
    walk.shot("mibi_2_cells")
    reference = walk.step("Reference")
    reference.path.setText(str(data / CITE))
    click(reference.run)
    wait(reference)
    walk.shot("mibi_3_reference")
    walk.run("Integrate")
    walk.paint("CD3E")
    walk.shot("mibi_5_gene")
    walk.viewer.close()


def spleen(out: Path, data: Path) -> None:
    """The CODEX spleen: a table of cells with positions, no image."""
    walk = Walk(out)
    table = next((data / "codex_human_spleen").glob("*.h5ad"))
    walk.guide.steps["Image"].open(str(table))
    settle(2)
    walk.run("Cells")
    reference = walk.step("Reference")
    reference.path.setText(str(data / CITE))
    click(reference.run)
    wait(reference)
    walk.run("Integrate")
    walk.paint("CD79A")
    walk.shot("spleen_5_gene")
    walk.viewer.close()


def outline(viewer: napari.Viewer) -> None:
    """Cells as outlines over the nuclei."""
    cells = viewer.layers["cells"]
    cells.contour, cells.opacity = 2, 1


def click(button: QWidget) -> None:
    """A click of the left button."""
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def wait(step: Any) -> None:
    """Until what the step does is done."""
    until(lambda: not step.busy)


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST
    settle(0.1)
    while not done():
        settle(0.05)
        if time.monotonic() > end:
            raise SystemExit(f"It takes more than {LONGEST} s.")
    settle()


def settle(seconds: float = 0.5) -> None:
    """Let the window draw."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--real", action="store_true", help="the real data")
    parser.add_argument("--theme", default="dark", choices=["dark", "light"])
    given = parser.parse_args()
    get_settings().appearance.theme = given.theme
    if given.real:
        data = Path(os.environ.get("NAPARI_GLUER_SHARED_DATA", SHARED))
        mibi(given.out, data)
        spleen(given.out, data)
    else:
        sample(given.out)


if __name__ == "__main__":
    main()
