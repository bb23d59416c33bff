"""Reference: open single-cell RNA-seq and see what it shares with the cells."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import pandas as pd
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtWidgets import QFileDialog, QLabel, QLineEdit, QPushButton

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import attach, cells_of, reference_of
from napari_gluer._napari.cells.editing import edit_markers, keep_links
from napari_gluer._napari.cells.edits import left_out
from napari_gluer._napari.pickers import Picker, labels_layers, labels_picker
from napari_gluer._napari.processes import warm
from napari_gluer._napari.recording import record_reference
from napari_gluer._napari.references.columns import label_columns
from napari_gluer._napari.references.large_file import LARGE, LargeFile
from napari_gluer._napari.references.links_tree import LinksTree
from napari_gluer._napari.references.peek import Peek, peek
from napari_gluer._napari.steps.base import Outcome, Step, side_by_side
from napari_gluer.errors import InputError, listed
from napari_gluer.integration.linking import LINKED, marker_links
from napari_gluer.track import Track


class Source(Enum):
    """Where a reference can come from, beside other layers."""

    FILE = "an .h5ad file"


@dataclass(frozen=True, eq=False)
class Opened:
    """A reference, and what it has of each marker of the cells (None without cells)."""

    reference: AnnData
    cells: AnnData | None
    links: pd.DataFrame | None

    @property
    def n_linked(self) -> int:
        """How many markers can link."""
        return 0 if self.links is None else int((self.links["state"] == LINKED).sum())

    @property
    def n_linking(self) -> int:
        """How many of them link: those that nobody left out."""
        if self.links is None or self.cells is None:
            return 0
        linked = self.links.index[self.links["state"] == LINKED]
        return int((~linked.isin(left_out(self.cells))).sum())


class ReferenceStep(Step):
    """Attaches a reference to a labels layer: from an h5ad file, or one that is open already."""

    title = "Reference"
    run_text = "Open reference"
    hint = "Choose a single-cell RNA-seq file of the same tissue and species."

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self._shown: Opened | None = None
        self.labels = labels_picker(self.viewer)
        self.path = QLineEdit()
        self.path.setPlaceholderText("atlas.h5ad")
        browse = QPushButton("Browse…")
        browse.clicked.connect(self._browse)
        self._file, self._file_label = side_by_side(self.path, browse), QLabel("File")
        self.rows.addRow("Cells", self.labels)
        self.source = Picker(self.viewer, self._sources)
        self.rows.addRow("From", self.source)
        self.rows.addRow(self._file_label, self._file)
        self.large = LargeFile()
        self.add(self.large)
        self.facts = QLabel()
        self.facts.setWordWrap(True)
        self.links = LinksTree()
        self.links.ticked.connect(self._tick)
        self.add(self.facts)
        self.add(self.links, 1)
        self.edit = QPushButton("Markers and genes…")
        self.edit.setToolTip("See which genes each channel stands for, and change them.")
        self.edit.clicked.connect(self._edit)
        self.add(self.edit)
        self.labels.currentIndexChanged.connect(self._show_attached)
        self.source.currentIndexChanged.connect(self._show_file_row)
        self.path.textChanged.connect(self._path_changed)
        self._show_attached()

    def prepare(self) -> Callable[[Track], Opened | Peek]:
        """Read the file's path; opening happens in the thread."""
        layer, path = self.labels.value, Path(self.path.text().strip())
        if layer is None:
            raise InputError("There is no labels layer yet. Start with Plugins ▸ GLUER ▸ Cells.")
        other = self.source.value
        shared = reference_of(other) if isinstance(other, Labels) else None
        if shared is None and not self.path.text().strip():
            raise InputError("Choose an .h5ad file first.")
        self._layer, cells = layer, cells_of(layer)
        part = None if shared is not None else self.large.params(path)

        def work(track: Track) -> Opened | Peek:
            if shared is not None:
                return _opened(shared, cells)
            for _ in track(["file"], "Looking at the file"):
                found = peek(path)
            if part is None and found.n_cells > LARGE:
                return found
            for _ in track(["file"], "Opening"):
                opened = ng.read_reference(path, subsample=part)
            warm()  # the integration comes next
            return _opened(opened, cells)

        return work

    def finish(self, result: Opened | Peek) -> Outcome:
        """Attach the reference and show what it holds, or ask how much of a large file to use."""
        if isinstance(result, Peek):
            self.large.show_peek(result)
            return Outcome("A large file: choose how many cells to use, then open it.")
        if self._layer not in self.viewer.layers:
            raise InputError(f"The layer “{self._layer.name}” is gone; nothing was attached.")
        if result.cells is not None and not result.n_linked:
            raise InputError(
                "No feature of the cells is in this reference, so it was not attached. The cells "
                f"have {listed(result.cells.var_names, 6)}; the reference "
                f"has {listed(result.reference.var_names, 6)}. Are both of one species?"
            )
        attach(self._layer, reference=result.reference)
        record_reference(self._layer, result.reference)
        self._show(result)
        linked = "" if result.links is None else f"; {result.n_linking} linked features"
        text = f"Reference with {result.reference.n_obs:,} cells attached{linked}."
        return Outcome(f"{text} Next: Integrate.")

    def _sources(self) -> list[tuple[str, Any]]:
        """References of other labels layers, the sample's for instance; then a file."""
        others = [
            (f"reference of “{name}”", layer)
            for name, layer in labels_layers(self.viewer)
            if layer is not self.labels.value and reference_of(layer) is not None
        ]
        return [*others, (Source.FILE.value, Source.FILE)]

    def _path_changed(self) -> None:
        self.source.choose(Source.FILE)
        self.large.show_peek(None)

    def _show_file_row(self) -> None:
        from_file = self.source.value is Source.FILE
        self.large.offer(offered=from_file)
        self._file.setVisible(from_file)
        self._file_label.setVisible(from_file)
        self.run.setText("Open reference" if from_file else "Use this reference")

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Single-cell reference", self.path.text(), "AnnData (*.h5ad);;All files (*)"
        )
        if path:
            self.path.setText(path)

    def _edit(self) -> None:
        layer = self.labels.value
        if not isinstance(layer, Labels):
            return

        def changed(text: str) -> None:
            self.say(text)
            self._show_attached()

        self.markers = self.guarded(lambda: edit_markers(layer, self, changed))

    def _tick(self, marker: str, links: bool) -> None:  # noqa: FBT001 - Qt's signal
        layer = self.labels.value
        if not isinstance(layer, Labels) or self._shown is None:
            return
        keep_links(layer, {marker: links})
        self._shown = replace(self._shown, cells=cells_of(layer))
        said = f"{marker} {'links again' if links else 'is left out'}"
        self.say(f"{said}: {self._shown.n_linking} linked features. Now Integrate.")

    def _show_attached(self) -> None:
        self.source.refresh()
        self._show_file_row()
        layer = self.labels.value
        self.edit.setEnabled(layer is not None and cells_of(layer) is not None)
        reference = None if layer is None else reference_of(layer)
        if reference is None:
            self.facts.setText("")
            self.facts.hide()
            self.links.clear()
            return
        known, cells = self._shown, cells_of(layer)
        same = known is not None and known.reference is reference and known.cells is cells
        self._show(known if known is not None and same else _opened(reference, cells))

    def _show(self, opened: Opened) -> None:
        self._shown = opened
        self.facts.setText(facts(opened.reference))
        self.facts.show()
        self.links.show_links(opened.links, [] if opened.cells is None else left_out(opened.cells))


def _opened(reference: AnnData, cells: AnnData | None) -> Opened:
    return Opened(reference, cells, None if cells is None else marker_links(cells, reference))


def facts(reference: AnnData) -> str:
    """What a reference holds, as rich text."""
    known = slots.info(reference)
    found, source = known.get("found", slots.LOG1P), known.get("source", "X")
    columns = label_columns(reference)
    counted = [f"{name} ({reference.obs[name].nunique()})" for name in columns]
    lines = [
        f"<b>{reference.n_obs:,}</b> cells × <b>{reference.n_vars:,}</b> genes",
        f"Expression: {found} in {source}",
        f"Label columns: {listed(counted)}",
    ]
    part = known.get("subsample")
    if part is not None:
        lines.insert(1, f"Part of the file: {part['outcome']}")
    return "<br>".join(lines)
