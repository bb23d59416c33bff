"""Of all that was done, what the present result comes from; and parameters as text."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

import napari_gluer as ng
from napari_gluer.cli import app
from napari_gluer.params import Params
from napari_gluer.pipeline.recipes.differences import as_flags, as_python, changed, command
from napari_gluer.pipeline.recipes.needed import needed
from napari_gluer.pipeline.recipes.steps import (
    Cleaned,
    Data,
    Edited,
    Integrated,
    Masked,
    Measured,
    Referenced,
    Replaced,
    Segmented,
    Selected,
    Step,
    Tabled,
    data_of,
    steps_from_json,
    steps_to_json,
)

IMAGE = Data(path="/tissue.tif")
MAKERS = {
    "segment": lambda n: Segmented(image=IMAGE, params={"nuclear_channels": (f"c{n}",)}),
    "masks": lambda n: Masked(labels=Data(kept=f"masks{n}")),
    "measure": lambda n: Measured(image=Data(path=f"/{n}.tif")),
    "clean": lambda n: Cleaned(params={"divide_by_total": bool(n % 2)}),
    "markers": lambda n: Edited(columns={"role": ("marker", "blank")}, channels=("a", f"b{n}")),
    "reference": lambda n: Referenced(reference=Data(path=f"/{n}.h5ad")),
    "integrate": lambda n: Integrated(seed=n),
    "selection": lambda n: Selected(named={f"s{n % 2}": (n,)}),
    "table": lambda n: Tabled(cells=Data(path=f"/{n}.h5ad")),
    "replaced": lambda n: Replaced(what="x", cells=Data(kept=f"c{n}"), labels=Data(kept=f"l{n}")),
}
_steps = st.lists(st.sampled_from(sorted(MAKERS)), max_size=14).map(
    lambda kinds: tuple(MAKERS[kind](number) for number, kind in enumerate(kinds))
)


class Machine:
    """What the steps make, told by which step made it: an independent account."""

    def __init__(self) -> None:
        self.labels = self.measured = self.cells = self.reference = None
        self.marks: object = None
        self.columns: dict[str, object] = {}

    def do(self, step: Step) -> None:
        match step:
            case Segmented() | Masked():
                self.labels = step
            case Measured() | Tabled() | Replaced():
                if not isinstance(step, Measured):
                    self.labels = step
                self.measured = self.cells = (step, self.labels)
                self.marks, self.columns = None, {}
            case Edited():
                self.marks = step
            case Cleaned():
                self.cells = ("clean", step, self.measured, self.marks)
                self.columns = {}
            case Referenced():
                self.reference = step
            case Integrated():
                before = self.cells if self.cells[0] != "integrated" else self.cells[1]
                self.cells = ("integrated", before, self.reference, self.marks, step)
            case Selected():
                self.columns["selections"] = step


def _made(steps: tuple[Step, ...]) -> tuple[object, ...]:
    machine = Machine()
    for step in steps:
        machine.do(step)
    return machine.cells, machine.columns, machine.marks


def _possible(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Steps that find what they need, as in the window."""
    found: list[Step] = []
    labels = table = reference = False
    for step in steps:
        if isinstance(step, Measured) and not labels:
            continue
        if isinstance(step, Cleaned | Edited | Selected) and not table:
            continue
        if isinstance(step, Integrated) and not (table and reference):
            continue
        labels |= isinstance(step, Segmented | Masked | Tabled | Replaced)
        table |= isinstance(step, Measured | Tabled | Replaced)
        reference |= isinstance(step, Referenced)
        found.append(step)
    return tuple(found)


@given(_steps)
def test_what_is_needed_makes_the_same_cells(steps: tuple[Step, ...]) -> None:
    done = _possible(steps)
    if any(isinstance(one, Measured | Tabled | Replaced) for one in done):
        assert _made(needed(done)) == _made(done)


@given(_steps)
def test_what_is_needed_needs_all_of_itself(steps: tuple[Step, ...]) -> None:
    once = needed(_possible(steps))
    assert needed(once) == once


@given(_steps)
def test_steps_come_back_from_json(steps: tuple[Step, ...]) -> None:
    assert steps_from_json(tuple(steps_to_json(steps))) == steps


def test_data_of_other_sections_count() -> None:
    inner = {"name": "a", "steps": (Masked(labels=Data(kept="there")),)}
    assert [one.kept for one in data_of(Integrated(sections=(inner,)))] == ["there"]


PARAMS = [
    ng.SegmentParams(),
    ng.SegmentParams(nuclear_channels=("DAPI", "a b"), growth={"kind": "membrane", "reach": 3}),
    ng.SegmentParams(method={"kind": "watershed", "nucleus_diameter": 8.5}),
    ng.MeasureParams(shape=True),
    ng.CleanParams(signal={"kind": "arcsinh"}, divide_by_total=False),
    ng.IntegrateParams(preset="paper", factorize={"rank": 30}),
    ng.IntegrateParams(features={"without": ("CD3", "-x y")}, device="cpu"),
    ng.IntegrateParams(factorize={"rank": 20, "update": {"kind": "coordinate"}}),
    ng.ClusterParams(resolution=0.5),
]
_WORDS = {
    ng.SegmentParams: ["segment", "image.tif", "--out=o.tif"],
    ng.MeasureParams: ["measure", "image.tif", "labels.tif", "--out=o.h5ad"],
    ng.CleanParams: ["clean", "c.h5ad", "--out=o.h5ad"],
    ng.IntegrateParams: ["integrate", "c.h5ad", "--reference=r.h5ad", "--out=o.h5ad"],
    ng.ClusterParams: ["cluster", "c.h5ad", "--out=o.h5ad"],
}


@pytest.mark.parametrize("params", PARAMS, ids=lambda one: type(one).__name__)
def test_parameters_come_back_from_python_and_from_flags(params: Params) -> None:
    assert type(params)(**changed(params)) == params
    text = as_python(params, "ng.X")
    call = ast.parse(text, mode="eval").body
    given_ = {one.arg: ast.literal_eval(one.value) for one in call.keywords}
    assert type(params)(**given_) == params
    words = [*_WORDS[type(params)], *as_flags(params)]
    _, bound, *_ = app.parse_args(words, exit_on_error=False)
    assert bound.arguments.get("params", type(params)()) == params


def test_commands_are_quoted_and_long_ones_go_on() -> None:
    assert command("napari-gluer", "clean", "my cells.h5ad") == "napari-gluer clean 'my cells.h5ad'"
    long = command("napari-gluer", "segment", "i.tif", *(f"--a{i}=b" for i in range(20)))
    assert long.startswith("napari-gluer segment i.tif \\\n    --a0=b \\\n    --a1=b")
