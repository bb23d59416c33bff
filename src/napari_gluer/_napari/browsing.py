"""A button that fills a line with the path of a file."""

from magicgui.widgets import LineEdit
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QWidget

from napari_gluer._napari.forms import Form

_WIDTH = 70


def add_browse(form: Form, field: str, asks: str) -> QPushButton:
    """Put a button beside the line of a form's field that asks for a file.

    Parameters
    ----------
    form
        Has a line to type in for the field.
    field
        Name of the field.
    asks
        Title of the window that asks.
    """
    line: LineEdit = form.rows[field].widget
    button = QPushButton("Browse…")
    button.setMaximumWidth(_WIDTH)

    def browse() -> None:
        path, _ = QFileDialog.getOpenFileName(button, asks)
        if path:
            line.value = path
            line.native.setToolTip(path)

    button.clicked.connect(browse)
    beside, row = QWidget(), QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    parent = line.native.parentWidget()
    layout = parent.layout().itemAt(0).layout()  # of the form's rows
    layout.replaceWidget(line.native, beside)
    row.addWidget(line.native)
    row.addWidget(button)
    beside.setLayout(row)
    return button
