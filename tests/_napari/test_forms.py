"""Every `Params` survives the form, and the form says what is wrong."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Interval, Le
from magicgui.widgets import CheckBox, ComboBox, LineEdit, SpinBox
from pydantic import Field, ValidationError

import napari_gluer
from napari_gluer._napari.forms import form, read, title
from napari_gluer.errors import InputError
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.measurement.filters import SizeBounds
from napari_gluer.params import Params

pytestmark = pytest.mark.usefixtures("qapp")


class Small(Params):
    """A method with one field."""

    kind: Literal["small"] = "small"
    """Its name."""

    share: Annotated[float, Ge(0), Le(1)] = 0.25
    """A share."""


class Large(Params):
    """A method with another field."""

    kind: Literal["large"] = "large"
    """Its name."""

    n_parts: Annotated[int, Ge(1)] = 4
    """How many."""


class Everything(Params):
    """One field of every type that a form knows."""

    tolerance: Annotated[float, Gt(0)] = 1e-4
    """When to stop."""

    count: int = 123_456_789
    """No bounds."""

    bounded: Annotated[int, Interval(ge=2, lt=9)] = 5
    """From 2 to 8."""

    on: bool = True
    """A switch."""

    name: str = "a, b"
    """Free text."""

    mode: Literal["fast", "exact"] = "exact"
    """A choice."""

    channels: tuple[str, ...] = ("DAPI", "CD 3")
    """Names."""

    sizes: tuple[int, ...] = (200, 100)
    """Numbers."""

    span: tuple[float, float] = (0.025, 0.99)
    """A pair."""

    limit: Annotated[float, Ge(0)] | None = None
    """A value or none."""

    cap: int | None = 7
    """A value or none."""

    rates: dict[str, float] = Field(default={"a": 0.5})
    """No editor of its own."""

    method: Small | Large = Small()
    """A choice of types."""

    extra: Large | None = None
    """A type or none."""

    nested: Small = Small()
    """Folded away."""


def _every_params() -> list[type[Params]]:
    for module in pkgutil.walk_packages(napari_gluer.__path__, "napari_gluer."):
        if "._napari" not in module.name:
            importlib.import_module(module.name)
    found, unseen = [], [Params]
    while unseen:
        subclasses = unseen.pop().__subclasses__()
        unseen += subclasses
        found += [kind for kind in subclasses if kind.__module__.startswith("napari_gluer.")]
    return sorted(set(found), key=lambda kind: kind.__name__)


def _altered(params: Params) -> Params:
    """Every field moved to another allowed value, where moving it alone is allowed."""
    for name, field in type(params).model_fields.items():
        for value in _others(getattr(params, name), field.annotation):
            try:
                params = type(params)(**{**dict(params), name: value})
            except ValidationError:
                continue
            break
    return params


def _others(value: Any, annotation: Any) -> list[Any]:
    makers: list[tuple[Any, Callable[[Any], list[Any]]]] = [
        (Params, lambda one: [_altered(one)]),
        (bool, lambda one: [not one]),
        (int, lambda one: [one + 1, one - 1]),
        (float, lambda one: [one * 0.37, one + 0.123456789, one - 0.1]),
        (tuple, lambda one: [(*one, *one), one[::-1]] if one else [("a", "b"), (1, 2)]),
        (str, lambda one: [*getattr(annotation, "__args__", ()), f"{one}x"]),
        (object, lambda _: [0.5, 3, "text"]),
    ]
    found = next(make(value) for kind, make in makers if isinstance(value, kind))
    return [other for other in found if other != value]


CASES = [Everything, *_every_params()]


@pytest.mark.parametrize("cls", CASES, ids=lambda cls: cls.__name__)
def test_what_a_form_shows_is_what_it_reads(cls: type[Params]) -> None:
    default = cls()
    assert read(cls, form(default)) == default
    altered = _altered(default)
    assert read(cls, form(altered)) == altered
    assert altered != default or set(cls.model_fields) <= {"kind"}


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_both_presets_survive(preset: Literal["default", "paper"]) -> None:
    params = IntegrateParams(preset=preset)
    assert read(IntegrateParams, form(params)) == params


def test_other_choices_survive() -> None:
    chosen = Everything(method=Large(n_parts=9), extra=Large(n_parts=2), limit=0.5, cap=None)
    assert read(Everything, form(chosen)) == chosen


def test_editors_fit_their_types() -> None:
    rows = form(Everything()).rows
    assert isinstance(rows["tolerance"].widget, LineEdit)
    assert rows["tolerance"].widget.value == "0.0001"
    assert isinstance(rows["count"].widget, SpinBox)
    assert (rows["bounded"].widget.min, rows["bounded"].widget.max) == (2, 8)
    assert isinstance(rows["on"].widget, CheckBox)
    assert isinstance(rows["mode"].widget, ComboBox)
    assert rows["channels"].widget.value == "DAPI, CD 3"
    assert rows["on"].widget.text == "On"
    assert rows["tolerance"].widget.tooltip == "When to stop. (above 0)"


def test_choosing_another_type_shows_its_fields_and_reads_them() -> None:
    shown = form(Everything())
    picker, small, large = shown.rows["method"].widget
    picker.value = "Large"
    assert not small.native.isVisibleTo(shown.native) or not small.visible
    large.rows["n_parts"].widget.value = 6
    assert read(Everything, shown).method == Large(n_parts=6)


def test_typed_numbers_keep_their_digits() -> None:
    shown = form(Everything())
    shown.rows["tolerance"].widget.value = "1e-7"
    shown.rows["sizes"].widget.value = " 50,25 ,"
    result = read(Everything, shown)
    assert (result.tolerance, result.sizes) == (1e-7, (50, 25))


def test_hidden_fields_have_no_row_and_keep_their_value() -> None:
    shown = form(Everything(channels=("X",)), hide=("channels",))
    assert read(Everything, shown).channels == ("X",)
    assert shown.rows["channels"].widget is None


def test_a_field_of_nested_params_can_be_hidden() -> None:
    shown = form(Everything(nested=Small(share=0.75)), hide=("nested.share",))
    assert shown.rows["nested"].widget.rows["share"].widget is None
    assert read(Everything, shown).nested == Small(share=0.75)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("tolerance", "0", "Tolerance: input should be greater than 0"),
        ("tolerance", "many", "Tolerance: input should be a valid number"),
        ("span", "1", "Span: field required"),
    ],
)
def test_a_wrong_value_names_its_field(name: str, text: str, says: str) -> None:
    shown = form(Everything())
    shown.rows[name].widget.value = text
    with pytest.raises(InputError, match=says):
        read(Everything, shown)


def test_names_are_readable() -> None:
    assert title("max_iter") == "Max iter"
    assert title("n_neighbors") == "Number of neighbors"


def test_what_two_fields_get_wrong_together_is_told_without_a_name_of_code() -> None:
    rows = form(SizeBounds())
    rows.rows["smallest"].widget.value = "5000"
    with pytest.raises(InputError) as raised:
        read(SizeBounds, rows)
    assert str(raised.value) == "The lower bound 5000 is above the upper 500"


@pytest.mark.parametrize(
    ("field", "shown"), [("std", "Standard deviation"), ("gpu", "GPU"), ("workers", "Threads")]
)
def test_abbreviations_are_spelt_out(field: str, shown: str) -> None:
    assert title(field) == shown
