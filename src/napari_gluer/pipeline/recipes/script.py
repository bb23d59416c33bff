"""Steps as a Python script that uses public names only."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from napari_gluer.pipeline.recipes.differences import as_python
from napari_gluer.pipeline.recipes.needed import needed
from napari_gluer.pipeline.recipes.steps import (
    Assigned,
    Cleaned,
    Data,
    Edited,
    Exported,
    Integrated,
    Masked,
    Measured,
    Referenced,
    Replaced,
    Segmented,
    Selected,
    Step,
    Tabled,
)

_HEAD = '''"""Repeats what was done in napari: {what}.

Made by napari-gluer {version}. Run it with Python where napari-gluer is installed.
It writes the tables and labels into the folder {out}, beside this file.{by_hand}
"""

import hashlib
import sys
from pathlib import Path

import pandas as pd

import napari_gluer as ng

HERE = Path(__file__).resolve().parent
OUT = HERE / {out!r}


def unchanged(path, sha256=""):
    """The path; says so where the file is no longer the one that was used in napari."""
    if sha256 and Path(path).exists() and fingerprint(Path(path)) != sha256:
        print(f"WARNING: {{path}} has changed since; the result may be another.", file=sys.stderr)
    return path


def fingerprint(path):
    """SHA-256 of a file; of a folder, over the names and hashes of its files."""
    if path.is_file():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    digest = hashlib.sha256()
    for file in sorted(one for one in path.rglob("*") if one.is_file()):
        digest.update(f"{{file.relative_to(path).as_posix()}}\\0{{fingerprint(file)}}\\n".encode())
    return digest.hexdigest()


def marked(cells, table):
    """Set the roles and genes of channels that were set by hand."""
    columns = pd.read_csv(HERE / table, index_col=0, keep_default_na=False, dtype=str)
    for name in columns:
        values = columns[name].reindex(cells.var_names)
        cells.var[name] = values.eq("True") if name == "left_out" else values.fillna("")
    return cells

'''
_BY_HAND = """
Masks that were drawn by hand cannot be made anew: they lie beside this file, as {names}."""


@dataclass
class _Written:
    """Lines so far, and what they call the things of one section.

    Attributes
    ----------
    suffix
        Behind every name, where there are several sections.
    """

    lines: list[str] = field(default_factory=list)
    suffix: str = ""
    images: dict[str, str] = field(default_factory=dict)
    exported: int = 0

    def say(self, text: str) -> None:
        self.lines.append(text)

    def name(self, what: str) -> str:
        return f"{what}{self.suffix}"


def as_script(steps: Sequence[Step], *, what: str, version: str, out: str = "results") -> str:
    """A Python script that gives the same cells again.

    Parameters
    ----------
    steps
        In the order in which they were done; what later ones made undone is left out. Files that
        lie beside the script have relative paths, and nothing is left that is only kept.
    what
        The cells, in words.
    version
        Of this package.
    out
        Folder for the results, beside the script.

    Returns
    -------
    str
        It writes ``cells.h5ad``, ``labels.ome.tif``, and what was exported.
    """
    chosen = needed(steps)
    by_hand = [one.path for step in chosen for one in _hand_drawn(step)]
    words = _BY_HAND.format(names=", ".join(by_hand)) if by_hand else ""
    head = _HEAD.format(what=what.replace('"', "'"), version=version, out=out, by_hand=words)
    written = _Written()
    for step in chosen:
        _write(written, step)
    cells = written.name("cells")
    if any(isinstance(one, Measured | Assigned | Tabled | Replaced) for one in chosen):
        written.say(f'ng.write_cells({cells}, OUT / "cells.h5ad")')
        written.say(f'print(f"{{{cells}.n_obs:,}} cells in {{OUT}}")')
    if any(isinstance(one, Segmented | Masked | Tabled) for one in chosen) or _replaced(chosen):
        written.say(f'ng.write_labels({written.name("labels")}, OUT / "labels.ome.tif")')
    return head + "\n".join(written.lines) + "\n"


def _replaced(steps: Sequence[Step]) -> bool:
    return any(isinstance(one, Replaced) and one.labels is not None for one in steps)


def _hand_drawn(step: Step) -> list[Data]:
    found = [value for _, value in step if isinstance(value, Data) and value.by_hand]
    if isinstance(step, Integrated):
        found += [one for part in step.sections for each in part.steps for one in _hand_drawn(each)]
    return found


def _write(to: _Written, step: Step) -> None:
    labels, measured, cells = (to.name(name) for name in ("labels", "measured", "cells"))
    match step:
        case Segmented():
            image, params = _image(to, step), as_python(step.params, "ng.SegmentParams")
            to.say(f"{labels} = ng.segment({image}, {params}{_regions(step.regions)})")
        case Masked():
            to.say(f"{labels} = ng.read_labels({_path(step.labels)})")
        case Measured():
            image, params = _image(to, step), as_python(step.params, "ng.MeasureParams")
            more = _regions(step.regions)
            if step.nuclei is not None:
                more = f", nuclei=ng.read_labels({_path(step.nuclei)}){more}"
            to.say(f"{measured} = ng.measure({image}, {labels}, {params}{more})")
            to.say(f"{cells} = {measured}")
        case Assigned():
            columns = as_python(step.columns, "ng.SpotParams")
            params = as_python(step.params, "ng.AssignParams")
            to.say(f"spots = ng.read_spots({_path(step.spots)}, {columns})")
            more = _regions(step.regions)
            to.say(f"{measured} = ng.assign_spots(spots, {labels}, {params}{more})")
            to.say(f"{cells} = {measured}")
        case Tabled():
            to.say(f"{measured} = ng.read_cells({_path(step.cells)}, {step.values!r})")
            if step.draw is not None:
                draw = as_python(step.draw, "ng.DiscParams")
                to.say(f"{labels}, {measured} = ng.draw_cells({measured}, {draw})")
            to.say(f"{cells} = {measured}")
        case Edited():
            to.say(f"{cells} = marked({cells}, {step.file!r})")
        case Cleaned():
            params = as_python(step.params, "ng.CleanParams")
            to.say(f"{cells} = ng.clean({measured}, {params})")
        case _:
            _write_later(to, step)


def _write_later(to: _Written, step: Step) -> None:
    labels, measured, cells = (to.name(name) for name in ("labels", "measured", "cells"))
    match step:
        case Replaced():
            to.say(f"# {step.what}: no function repeats this, so it goes on from what was kept")
            to.say(f"{cells} = ng.read_cells({_path(step.cells)})")
            kept = cells if step.measured is None else f"ng.read_cells({_path(step.measured)})"
            to.say(f"{measured} = {kept}")
            if step.labels is not None:
                to.say(f"{labels} = ng.read_labels({_path(step.labels)})")
        case Referenced():
            more = ""
            if step.subsample is not None:
                part = as_python(step.subsample, "ng.SubsampleParams")
                more = f", {part}, seed={step.seed}"
            to.say(f"reference = ng.read_reference({_path(step.reference)}{more})")
        case Integrated():
            _write_integration(to, step)
        case Selected():
            named = f"ng.read_selections(HERE / {step.file!r})"
            to.say(f"{cells}, _ = ng.with_selections({cells}, {named})")
        case Exported():
            genes = None if step.genes is None else list(step.genes)
            params = as_python(step.params, "ng.ExportParams")
            to.say(
                f"ng.export_imputed({cells}, reference, OUT / {step.name!r}, {genes!r}, "
                f"params={params})"
            )


def _write_integration(to: _Written, step: Integrated) -> None:
    params = as_python(step.params, "ng.IntegrateParams")
    names = []
    for number, section in enumerate(step.sections, start=1):
        to.say(f"# section {section.name}")
        other = _Written(to.lines, f"_{number}", to.images)
        for each in section.steps:
            if not isinstance(each, Referenced | Integrated | Exported):
                _write(other, each)
        names.append(other.name("cells"))
    names.insert(step.place, to.name("cells"))
    if len(names) == 1:
        to.say(f"{names[0]} = ng.integrate({names[0]}, reference, {params}, seed={step.seed})")
    else:
        every = ", ".join(names)
        to.say(f"{every} = ng.integrate([{every}], reference, {params}, seed={step.seed})")
    for column in step.columns:
        to.say(f"for table in [{', '.join(names)}]:")
        to.say(f"    types = ng.transfer_labels(table, reference, {column!r})")
        to.say("    table.obs[types.columns] = types")
    if step.cluster is not None:
        _write_clusters(to, step, names)


def _write_clusters(to: _Written, step: Integrated, names: list[str]) -> None:
    params = as_python(step.cluster, "ng.ClusterParams") if step.cluster else ""
    every = ", ".join(names)
    given = every if len(names) == 1 else f"[{every}]"
    to.say(f"{every} = ng.cluster({given}, {params}, seed={step.cluster_seed})")


def _image(to: _Written, step: Segmented | Measured) -> str:
    """What the image is called; it is opened once."""
    reading = {name: value for name, value in step.reading if value not in (None, ())}
    more = "".join(f", {name}={value!r}" for name, value in reading.items())
    call = f"ng.read_image({_path(step.image)}{more})"
    if call not in to.images:
        to.images[call] = f"image_{len(to.images)}" if to.images else "image"
        to.say(f"{to.images[call]} = {call}")
    return to.images[call]


def _regions(regions: Data | None) -> str:
    return "" if regions is None else f", regions=ng.read_regions({_path(regions)})"


def _path(data: Data) -> str:
    inside = f"HERE / {data.path!r}" if data.kept else repr(data.path)
    return f"unchanged({inside}, {data.sha256!r})" if data.sha256 else inside
