"""Show `Params` as a form, and read a form back as `Params`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt
from magicgui.widgets import CheckBox, ComboBox, Container, LineEdit, SpinBox, Widget
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from qtpy.QtWidgets import QFormLayout, QLabel

from napari_gluer._napari.folding import Section, no_stray_wheel
from napari_gluer.errors import InputError
from napari_gluer.params import Params

P = TypeVar("P", bound=Params)

_LARGEST = 2**31 - 1  # what a Qt spin box holds
_NARROW, _GAP = 70, 6
_FEW_SECTIONS, _ADVANCED = 6, "Advanced"
_TITLES = {
    "std": "Standard deviation",
    "gpu": "GPU",
    "side": "Tile side (px)",
    "workers": "Threads",
    "factorize": "Factorisation",
    "absence": "Absent types",
    "canonical": "Linear map",
    "choice": "Choice from the data",
    "n_cells": "Use at most",
    "least": "At least of each",
    "show_unmatched": "Values of unmatched cells too",
}


@dataclass(frozen=True)
class Row:
    """One field's editor (None where it is hidden) and how its value is read."""

    widget: Any
    read: Callable[[], Any]


class Form(Container[Widget]):
    """The fields of one `Params`: plain ones in labelled rows, nested ones in folded sections.

    Parameters
    ----------
    params
        The values to show.
    hide
        Fields that have no row; they keep their value. ``method.expansion`` is a field of the
        params in ``method``.

    Attributes
    ----------
    rows
        Field name → editor.
    """

    def __init__(self, params: Params, hide: tuple[str, ...] = ()) -> None:
        self.rows: dict[str, Row] = {}
        plain, sections = _aligned_rows(), []
        for name, field in type(params).model_fields.items():
            value = getattr(params, name)
            if name in hide or _is_tag(field.annotation):
                self.rows[name] = Row(None, partial(_same, value))
                continue
            row = _row(field.annotation, value, field, _inside(name, hide))
            self.rows[name] = row
            if isinstance(row.widget, Container) and _holds_params(field.annotation):
                sections.append(Section(title(name, field), row.widget, field.description or ""))
            else:
                _add_row(plain, title(name, field), row.widget, _tooltip(field))
        super().__init__(widgets=_gathered(sections), labels=False)
        self.margins = (0, 0, 0, 0)
        if plain.rowCount():
            self.native.layout().insertLayout(0, plain)
        elif len(sections) == 1:
            sections[0].fold(folded=False)


def _gathered(sections: list[Section]) -> list[Section]:
    """Many sections go into one, folded away: who wants the defaults need not see their names."""
    if len(sections) <= _FEW_SECTIONS:
        return sections
    inside: Container[Widget] = Container(widgets=sections, labels=False)
    return [Section(_ADVANCED, inside, "Every parameter of the method, with what it does.")]


def _aligned_rows() -> QFormLayout:
    layout = QFormLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setVerticalSpacing(_GAP)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return layout


def _add_row(layout: QFormLayout, text: str, widget: Any, tooltip: str) -> None:
    widget.tooltip = tooltip
    if isinstance(widget, CheckBox):
        widget.text = text
        layout.addRow(widget.native)
        return
    label = QLabel(text)
    label.setToolTip(tooltip)
    layout.addRow(label, widget.native)


def form(params: Params, hide: tuple[str, ...] = ()) -> Form:
    """A form that shows `params`; the fields in `hide` have no row and keep their value."""
    return Form(params, hide)


def read(cls: type[P], rows: Form) -> P:
    """The parameters that the form shows now.

    Raises
    ------
    InputError
        If a value is out of bounds or of the wrong type; the message names the field.
    """
    values = {name: row.read() for name, row in rows.rows.items()}
    try:
        return cls(**values)
    except ValidationError as error:
        raise InputError("; ".join(_problems(cls, error))) from error


def title(name: str, field: FieldInfo | None = None) -> str:
    """Readable name of a field: ``max_iter`` → ``Max iter``, ``n_genes`` → ``Number of genes``."""
    if field is not None and field.title:
        return field.title
    if name in _TITLES:
        return _TITLES[name]
    words = name.replace("_", " ")
    return words.replace("n ", "Number of ", 1) if words.startswith("n ") else words.capitalize()


def _same(value: Any) -> Any:
    return value


def _problems(cls: type[Params], error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        text = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:  # of several fields together
            yield f"{text[0].upper()}{text[1:]}"
            continue
        name = str(problem["loc"][0])
        yield f"{title(name, cls.model_fields.get(name))}: {text[0].lower()}{text[1:]}"


def _inside(name: str, hide: tuple[str, ...]) -> tuple[str, ...]:
    """Those hidden fields that belong to the params in field `name`."""
    return tuple(one.removeprefix(f"{name}.") for one in hide if one.startswith(f"{name}."))


def _row(annotation: Any, value: Any, field: FieldInfo, hide: tuple[str, ...] = ()) -> Row:
    """The editor that fits a type."""
    annotation, metadata = _bare(annotation)
    metadata = [*_opened(field.metadata), *metadata]
    choices = [_bare(kind)[0] for kind in _union(annotation)]
    if any(_is_params(kind) for kind in choices):
        return _choice(choices, value) if len(choices) > 1 else _nested(value, hide)
    if NoneType in choices:
        return _optional([kind for kind in choices if kind is not NoneType], value, field)
    return _single(annotation, value, metadata)


def _single(annotation: Any, value: Any, metadata: list[Any]) -> Row:
    if get_origin(annotation) is Literal:
        widget = ComboBox(choices=list(get_args(annotation)), value=value)
        no_stray_wheel(widget.native)
        return Row(widget, lambda: widget.value)
    if annotation is bool:
        box = CheckBox(value=value)
        return Row(box, lambda: box.value)
    if annotation is int and abs(value) <= _LARGEST:
        return _whole(value, metadata)
    return _text(annotation, value)


def _nested(value: Params, hide: tuple[str, ...] = ()) -> Row:
    inner = Form(value, hide)
    return Row(inner, lambda: read(type(value), inner))


def _choice(choices: list[Any], value: Params | None) -> Row:
    """A choice of types, and the fields of the chosen one."""
    kinds = {_kind_name(kind): kind for kind in choices}
    forms: dict[str, Form] = {
        name: Form(value if isinstance(value, kind) else kind())
        for name, kind in kinds.items()
        if kind is not NoneType
    }
    chosen = next(name for name, kind in kinds.items() if isinstance(value, kind))
    picker = ComboBox(choices=list(kinds), value=chosen, name="kind", label="Kind")
    no_stray_wheel(picker.native)
    box: Container[Widget] = Container(widgets=[picker, *forms.values()], labels=False)
    box.margins = (0, 0, 0, 0)

    def show() -> None:
        for name, inner in forms.items():
            inner.visible = name == picker.value

    picker.changed.connect(show)
    show()

    def pick() -> Params | None:
        name = picker.value
        return read(kinds[name], forms[name]) if name in forms else None

    return Row(box, pick)


def _optional(kinds: list[Any], value: Any, field: FieldInfo) -> Row:
    """A check box that turns the value on, and its editor."""
    annotation: Any = Union[tuple(kinds)]  # noqa: UP007 - the members are known at run time only
    start = value if value is not None else _plain_start(annotation)
    inner = _row(annotation, start, field)
    switch = CheckBox(value=value is not None, text="", tooltip="Off: not set")
    box: Container[Widget] = Container(
        widgets=[switch, inner.widget], layout="horizontal", labels=False
    )
    box.margins = (0, 0, 0, 0)

    def enable() -> None:
        inner.widget.enabled = switch.value

    switch.changed.connect(enable)
    enable()
    return Row(box, lambda: inner.read() if switch.value else None)


def _plain_start(annotation: Any) -> Any:
    kind = get_origin(_bare(annotation)[0]) or _bare(annotation)[0]
    if kind is Literal:
        return get_args(annotation)[0]
    return kind() if kind in (int, float, str, bool, tuple) else ""


def _whole(value: int, metadata: list[Any]) -> Row:
    low, high = -_LARGEST, _LARGEST
    for bound in metadata:
        match bound:
            case Ge(ge=limit):
                low = max(low, int(limit))  # type: ignore[call-overload]
            case Gt(gt=limit):
                low = max(low, int(limit) + 1)  # type: ignore[call-overload]
            case Le(le=limit):
                high = min(high, int(limit))  # type: ignore[call-overload]
            case Lt(lt=limit):
                high = min(high, int(limit) - 1)  # type: ignore[call-overload]
    widget = SpinBox(value=value, min=low, max=high)
    widget.native.setMinimumWidth(_NARROW)
    no_stray_wheel(widget.native)
    return Row(widget, lambda: widget.value)


def _text(annotation: Any, value: Any) -> Row:
    """A line to type in: numbers with all their digits, several values between commas."""
    widget = LineEdit(value=_shown(value))
    widget.native.setMinimumWidth(_NARROW)
    widget.native.setCursorPosition(0)
    if get_origin(annotation) is tuple:
        return Row(widget, lambda: [part for part in _parts(widget.value) if part])
    if annotation in (float, int, str) or not _is_json(annotation, value):
        return Row(widget, lambda: widget.value.strip() if annotation is not str else widget.value)
    widget.value = TypeAdapter(annotation).dump_json(value).decode()
    return Row(widget, lambda: TypeAdapter(annotation).validate_json(widget.value))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_shown(part) for part in value)
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def _is_json(annotation: Any, value: Any) -> bool:
    return not isinstance(value, str) and annotation not in (float, int)


def _tooltip(field: FieldInfo) -> str:
    """The field's docstring and its bounds."""
    text = " ".join((field.description or "").split())
    metadata = [*_opened(field.metadata), *_bare(field.annotation)[1]]
    bounds = []
    for bound in metadata:
        match bound:
            case Ge(ge=limit):
                bounds.append(f"at least {limit}")
            case Gt(gt=limit):
                bounds.append(f"above {limit}")
            case Le(le=limit):
                bounds.append(f"at most {limit}")
            case Lt(lt=limit):
                bounds.append(f"below {limit}")
    return f"{text} ({', '.join(bounds)})".strip() if bounds else text


def _bare(annotation: Any) -> tuple[Any, list[Any]]:
    """The type inside ``Annotated``, and its metadata with groups such as intervals opened."""
    if get_origin(annotation) is not Annotated:
        return annotation, []
    bare, *metadata = get_args(annotation)
    return bare, _opened(metadata)


def _opened(metadata: list[Any]) -> list[Any]:
    return [
        part
        for item in metadata
        for part in (item if isinstance(item, GroupedMetadata) else [item])
    ]


def _union(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, UnionType):
        return get_args(annotation)
    return (annotation,)


def _is_params(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Params)


def _holds_params(annotation: Any) -> bool:
    return any(_is_params(_bare(kind)[0]) for kind in _union(_bare(annotation)[0]))


def _is_tag(annotation: Any) -> bool:
    """Whether a field has one possible value: the ``kind`` of a choice."""
    return get_origin(annotation) is Literal and len(get_args(annotation)) == 1


def _kind_name(kind: Any) -> str:
    if kind is NoneType:
        return "None"
    tag = kind.model_fields.get("kind")
    return (
        title(str(tag.default)) if tag is not None else title(kind.__name__.removesuffix("Params"))
    )
