"""The choice of the reference's column of batches."""

from typing import Any

from anndata import AnnData
from qtpy.QtWidgets import QComboBox, QSizePolicy, QWidget

from napari_gluer._napari.folding import no_stray_wheel
from napari_gluer._napari.references.columns import batch_columns, is_likely_batch
from napari_gluer.integration.params import IntegrateParams

_NONE, _SHORTEST = "none", 10


class BatchPicker(QComboBox):
    """Columns of a reference's ``obs`` that may name batches, "none" first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reference: AnnData | None = None
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_SHORTEST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        no_stray_wheel(self)
        field = IntegrateParams.model_fields["reference_batch"]
        self.setToolTip(" ".join((field.description or "").split()))
        self.addItem(_NONE, "")

    @property
    def column(self) -> str:
        """The chosen column, "" for none or where none can be chosen."""
        return str(self.currentData()) if self.isEnabled() else ""

    @property
    def has_likely(self) -> bool:
        """Whether a column is called batch, donor, sample or the like."""
        return any(is_likely_batch(str(self.itemData(i))) for i in range(1, self.count()))

    def show_reference(self, reference: AnnData | None) -> None:
        """List what `reference` offers; the chosen column stays chosen where it has it."""
        if reference is self._reference:
            return
        self._reference, chosen = reference, self.currentData()
        self.clear()
        self.addItem(_NONE, "")
        for name in [] if reference is None else batch_columns(reference):
            number: Any = reference.obs[name].nunique()  # type: ignore[union-attr]
            self.addItem(f"{name} ({number:,})", name)
        self.setCurrentIndex(max(self.findData(chosen), 0))
