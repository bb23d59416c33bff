"""Reference: open single-cell RNA-seq and see what it shares with the cells."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import pandas as pd
from anndata import AnnData
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtWidgets import (
    QFileDialog,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
)

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import attach, cells_of, reference_of
from napari_gluer._napari.pickers import Picker, labels_layers, labels_picker
from napari_gluer._napari.steps.base import Outcome, Step, side_by_side
from napari_gluer.errors import InputError, listed
from napari_gluer.integration.imputation import membership
from napari_gluer.integration.linking import linked_features
from napari_gluer.track import Track

_FEWEST_TYPES, _MOST_TYPES = 2, 200


class Source(Enum):
    """Where a reference can come from, beside other layers."""

    FILE = "an .h5ad file"


@dataclass(frozen=True, eq=False)
class Opened:
    """A reference, and its features that the cells have too (None without cells)."""

    reference: AnnData
    links: pd.DataFrame | None


class ReferenceStep(Step):
    """Attaches a reference to a labels layer: from an h5ad file, or one that is open already."""

    title = "Reference"
    run_text = "Open reference"
    hint = "Choose a single-cell RNA-seq file of the same tissue and species."

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
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
        self.facts = QLabel()
        self.facts.setWordWrap(True)
        self.links = _links_table()
        self.add(self.facts)
        self.add(self.links, 1)
        self.labels.currentIndexChanged.connect(self._show_attached)
        self.source.currentIndexChanged.connect(self._show_file_row)
        self.path.textChanged.connect(lambda: self.source.choose(Source.FILE))
        self._show_attached()

    def prepare(self) -> Callable[[Track], Opened]:
        """Read the file's path; opening happens in the thread."""
        layer, path = self.labels.value, Path(self.path.text().strip())
        if layer is None:
            raise InputError("There is no labels layer yet. Start with Plugins ▸ GLUER ▸ Cells.")
        other = self.source.value
        shared = reference_of(other) if isinstance(other, Labels) else None
        if shared is None and not self.path.text().strip():
            raise InputError("Choose an .h5ad file first.")
        self._layer, cells = layer, cells_of(layer)

        def work(track: Track) -> Opened:
            for _ in track(["file"], "Opening"):
                opened = ng.read_reference(path) if shared is None else shared
            return Opened(opened, None if cells is None else linked_features(cells, opened))

        return work

    def finish(self, result: Opened) -> Outcome:
        """Attach the reference and show what it holds."""
        if self._layer not in self.viewer.layers:
            raise InputError(f"The layer “{self._layer.name}” is gone; nothing was attached.")
        if result.links is not None and not len(result.links):
            cells = cells_of(self._layer)
            raise InputError(
                "No feature of the cells is in this reference, so it was not attached. The cells "
                f"have {listed(cells.var_names if cells is not None else [], 6)}; the reference "
                f"has {listed(result.reference.var_names, 6)}. Are both of one species?"
            )
        attach(self._layer, reference=result.reference)
        self._show(result)
        linked = "" if result.links is None else f"; {len(result.links)} linked features"
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

    def _show_file_row(self) -> None:
        from_file = self.source.value is Source.FILE
        self._file.setVisible(from_file)
        self._file_label.setVisible(from_file)
        self.run.setText("Open reference" if from_file else "Use this reference")

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Single-cell reference", self.path.text(), "AnnData (*.h5ad);;All files (*)"
        )
        if path:
            self.path.setText(path)

    def _show_attached(self) -> None:
        self.source.refresh()
        self._show_file_row()
        layer = self.labels.value
        reference = None if layer is None else reference_of(layer)
        if reference is None:
            self.facts.setText("")
            self.facts.hide()
            self.links.clear()
            return
        cells = cells_of(layer)
        links = None if cells is None else linked_features(cells, reference)
        self._show(Opened(reference, links))

    def _show(self, opened: Opened) -> None:
        self.facts.setText(facts(opened.reference))
        self.facts.show()
        self.links.clear()
        if opened.links is None:
            return
        self.links.addTopLevelItems(
            [
                QTreeWidgetItem([str(feature), ", ".join(genes)])
                for feature, genes in opened.links["genes"].items()
            ]
        )


def facts(reference: AnnData) -> str:
    """What a reference holds, as rich text."""
    known = slots.info(reference)
    found, source = known.get("found", slots.LOG1P), known.get("source", "X")
    columns = label_columns(reference)
    counted = [f"{name} ({reference.obs[name].nunique()})" for name in columns]
    return (
        f"<b>{reference.n_obs:,}</b> cells × <b>{reference.n_vars:,}</b> genes<br>"
        f"Expression: {found} in {source}<br>"
        f"Label columns: {listed(counted)}"
    )


def label_columns(reference: AnnData) -> list[str]:
    """Columns of ``obs`` that hold types: text with 2 to 200 different values."""
    return [
        str(name)
        for name, column in reference.obs.items()
        if not pd.api.types.is_numeric_dtype(column.dtype)
        and _FEWEST_TYPES <= column.nunique() <= min(_MOST_TYPES, len(column) // 2)
        and _holds_types(reference, str(name))
    ]


def _holds_types(reference: AnnData, column: str) -> bool:
    """Whether the column can be transferred: some that look like types say nothing."""
    try:
        membership(reference, column)
    except InputError:
        return False
    return True


def _links_table() -> QTreeWidget:
    table = QTreeWidget()
    table.setHeaderLabels(["Linked feature", "Genes"])
    table.setRootIsDecorated(False)
    table.setUniformRowHeights(True)
    table.setMinimumHeight(120)
    header = table.header()
    if header is not None:
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    return table
