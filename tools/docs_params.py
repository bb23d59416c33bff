"""Writes ``docs/parameters.md`` from the `Params` classes: ``python tools/docs_params.py``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

import napari_gluer as ng
from napari_gluer.params import Params

PAGE = Path(__file__).resolve().parents[1] / "docs" / "parameters.md"

HEAD = """# Parameters

Made by `tools/docs_params.py` from the code; do not edit.

A parameter of `ng.PipelineParams` is a flag of `napari-gluer run`, its parts joined by dots:
`integrate.factorize.rank` is `--integrate.factorize.rank 30`. The commands that do one step leave
the first part out: `napari-gluer integrate … --factorize.rank 30`. Where there is a choice of
methods, `kind` chooses: `--clean.size.kind bounds --clean.size.smallest 30`. A flag with a list
takes several words (`--genes CD3E NKG7`), so what has no flag of its own, an image for instance,
stands first.
"""

INTEGRATE = """
`preset` sets all other values at once; what is given besides wins over it. `default` is the method
of this package, `paper` is GLUER as published ([method](method.md)).
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_sections(ng.PipelineParams(), "", 2), *_beside()])


def _beside() -> Iterator[str]:
    yield "## Where and how fast\n"
    yield "### `tiles`\n"
    yield "Of commands on images: `--tiles.side 2048`. Results do not depend on it.\n"
    yield from table(ng.TileParams(), None)
    yield "## Of single commands\n"
    yield "Without their first part they are flags: `napari-gluer subsample … --n-cells 20000`.\n"
    for name, params in (
        ("subsample", ng.SubsampleParams()),
        ("coembed", ng.CoembedParams()),
        ("export", ng.ExportParams()),
        ("hand-over", ng.HandOverParams()),
        ("map-cells", ng.MapParams()),
        ("validate", ng.ReportParams()),
        ("markers", ng.MarkerParams()),
        ("name-clusters", ng.NameParams()),
        ("trajectory", ng.TrajectoryParams()),
        ("compare-regions", ng.RegionParams()),
        ("gene-activity", ng.ActivityParams()),
        ("peak-links", ng.PeakLinkParams()),
    ):
        yield from _sections(params, name, 3)


def _sections(params: Params, path: str, level: int) -> Iterator[str]:
    """A table of the plain fields of `params`, then a section for each part."""
    twin = _paper_part(path)
    if path:
        yield f"{'#' * level} `{path}`\n"
        yield f"{sentence(params)}\n"
        yield INTEGRATE if path == "integrate" else ""
    if plain := list(table(params, twin)):
        if not path:
            yield "## Of a run as a whole\n"
        yield from plain
    for name, field in type(params).model_fields.items():
        inner = f"{path}.{name}" if path else name
        kinds = _kinds(field.annotation)
        if len(kinds) == 1:
            yield from _sections(getattr(params, name), inner, min(level + bool(path), 4))
        for kind in kinds if len(kinds) > 1 else ():
            yield from _method(kind, inner, level)


def _method(kind: type[Params], path: str, level: int) -> Iterator[str]:
    yield f"{'#' * min(level + 1, 4)} `{path}.kind` = `{_tag(kind)}`\n"
    yield f"{sentence(kind())}\n"
    yield from table(kind(), None)


def table(params: Params, twin: Params | None) -> Iterator[str]:
    """One row a field; with `twin` the values of both presets."""
    rows = [
        _row(params, twin, name, field)
        for name, field in type(params).model_fields.items()
        if name != "kind" and len(_kinds(field.annotation)) != 1
    ]
    if not rows:
        return
    values = "default" if twin is None else "`default` | `paper`"
    yield f"| name | {values} | allowed | meaning |"
    yield f"|---|{'---|' if twin is None else '---|---|'}---|---|"
    yield from rows
    yield ""


def _row(params: Params, twin: Params | None, name: str, field: FieldInfo) -> str:
    values = [_value(getattr(one, name)) for one in (params, twin) if one is not None]
    meaning = (field.description or "").replace("\n", " ").replace("|", "\\|")
    return f"| `{name}` | {' | '.join(values)} | {_allowed(field)} | {meaning} |"


def _paper_part(path: str) -> Params | None:
    """The same part of the preset `paper`; None outside the integration."""
    head, *parts = path.split(".")
    if head != "integrate":
        return None
    params: Any = ng.IntegrateParams(preset="paper")
    for part in parts:
        params = getattr(params, part)
    return params


def _kinds(annotation: Any) -> list[type[Params]]:
    """The `Params` classes that a field may hold."""
    found = get_args(annotation) or (annotation,)
    return [one for one in found if isinstance(one, type) and issubclass(one, Params)]


def _tag(kind: type[Params]) -> str:
    return str(kind.model_fields["kind"].default)


def _value(value: Any) -> str:
    if isinstance(value, Params):
        return f"`{value.kind}`"  # type: ignore[attr-defined]
    if isinstance(value, tuple):
        return " ".join(str(part) for part in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value}" if value != "" else "none"


def _allowed(field: FieldInfo) -> str:
    annotation = field.annotation
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if kinds := _kinds(annotation):
        return ", ".join(f"`{_tag(kind)}`" for kind in kinds)
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    if annotation is bool:
        return "yes, no"
    bounds = [_bound(one) for one in field.metadata]
    words = {int: "whole number", float: "number", str: "text"}
    kind = words.get(annotation, "list")  # type: ignore[arg-type]
    return ", ".join([kind, *(bound for bound in bounds if bound)])


def _bound(bound: Any) -> str:
    match bound:
        case Ge(ge=value):
            return f"from {value:,}"
        case Gt(gt=value):
            return f"above {value:,}"
        case Le(le=value):
            return f"to {value:,}"
        case Lt(lt=value):
            return f"below {value:,}"
    return ""


def sentence(params: Params) -> str:
    """What the parameters are about."""
    return (type(params).__doc__ or "").split("\n\n")[0].strip()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
