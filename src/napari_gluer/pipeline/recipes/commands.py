"""Steps as a shell script of ``napari-gluer`` commands."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from napari_gluer.pipeline.recipes.differences import as_flags, command
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

_HEAD = """#!/usr/bin/env bash
# Repeats what was done in napari: {what}.
# Made by napari-gluer {version}. Run it where the command napari-gluer is installed:
#   bash {file}
# It writes the tables and labels into the folder {out}, beside this file.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p {out}
"""
_HASHES = """same() {  # warns where a file is no longer the one that was used in napari
    if [ -f "$1" ] && command -v sha256sum >/dev/null && \\
        [ "$(sha256sum < "$1" | cut -d' ' -f1)" != "$2" ]; then
        echo "WARNING: $1 has changed since; the result may be another." >&2
    fi
}
"""


@dataclass
class _Files:
    """Lines so far, and the files that hold the things of one section."""

    out: str
    lines: list[str] = field(default_factory=list)
    prefix: str = ""
    labels: str = ""
    measured: str = ""
    cells: str = ""
    reference: str = ""
    edits: int = 1

    def file(self, name: str) -> str:
        return f"{self.out}/{self.prefix}{name}"

    def call(self, *words: str) -> None:
        self.lines.append(command("napari-gluer", *words))

    def note(self, text: str) -> None:
        self.lines.append(f"# {text}")


def as_commands(
    steps: Sequence[Step], *, what: str, version: str, file: str = "recipe.sh", out: str = "results"
) -> str:
    """A shell script that gives the same cells again; arguments as of `as_script`."""
    chosen = needed(steps)
    files = _Files(out)
    checks = [data for step in chosen for data in _files_of(step) if data.sha256]
    for data in {data.path: data for data in checks}.values():
        files.lines.append(command("same", data.path, data.sha256))
    for step in chosen:
        _add(files, step)
    if files.cells and files.cells != files.file("cells.h5ad"):
        files.lines.append(command("cp", files.cells, files.file("cells.h5ad")))
    head = _HEAD.format(what=what.replace("\n", " "), version=version, file=file, out=out)
    return head + (_HASHES if checks else "") + "\n".join(files.lines) + "\n"


def _files_of(step: Step) -> list[Data]:
    found = [value for _, value in step if isinstance(value, Data)]
    if isinstance(step, Integrated):
        found += [one for part in step.sections for each in part.steps for one in _files_of(each)]
    return found


def _add(to: _Files, step: Step) -> None:
    match step:
        case Segmented():
            to.labels = to.file("labels.ome.tif")
            to.call("segment", step.image.path, "--out", to.labels, *as_flags(step.reading),
                    *_regions(step.regions), *as_flags(step.params))  # fmt: skip
        case Masked():
            to.labels = step.labels.path
        case Measured():
            _measure(to, step)
        case Assigned():
            to.measured = to.cells = to.file("measured.h5ad")
            flags = [*as_flags(step.columns), *as_flags(step.params), *_regions(step.regions)]
            to.call("assign-spots", step.spots.path, to.labels, "--out", to.measured, *flags)
        case Tabled():
            to.measured = to.cells = step.cells.path
            if step.values != "detect":
                to.note(f"the values of {step.cells.path} are {step.values}; commands detect them")
        case Edited():
            _mark(to, step)
        case Cleaned():
            to.cells = to.file("cleaned.h5ad")
            to.call("clean", to.measured, "--out", to.cells, *as_flags(step.params))
        case _:
            _add_later(to, step)


def _mark(to: _Files, step: Edited) -> None:
    before, to.cells = to.cells, to.file(f"marked_{to.edits}.h5ad")
    to.edits += 1
    to.call("mark", before, step.file, "--out", to.cells)
    if before == to.measured:
        to.measured = to.cells


def _measure(to: _Files, step: Measured) -> None:
    to.measured = to.cells = to.file("measured.h5ad")
    nuclei = [] if step.nuclei is None else ["--nuclei", step.nuclei.path]
    to.call("measure", step.image.path, to.labels, "--out", to.measured, *nuclei,
            *as_flags(step.reading), *_regions(step.regions), *as_flags(step.params))  # fmt: skip


def _add_later(to: _Files, step: Step) -> None:
    match step:
        case Replaced():
            to.note(f"{step.what}: no command repeats this, so it goes on from what was kept")
            to.cells = step.cells.path
            to.measured = step.cells.path if step.measured is None else step.measured.path
        case Referenced():
            to.reference = step.reference.path
            if step.subsample is not None:
                part = to.file("reference.h5ad")
                to.call("subsample", step.reference.path, "--out", part,
                        *as_flags(step.subsample), f"--seed={step.seed}")  # fmt: skip
                to.reference = part
        case Integrated():
            _integrate(to, step)
        case Selected():
            before, to.cells = to.cells, to.file("selected.h5ad")
            to.call("select", before, step.file, "--out", to.cells)
        case Exported():
            genes = [] if step.genes is None else list(step.genes)
            to.call("export", to.cells, *genes, "--reference", to.reference, "--out",
                    to.file(step.name), *as_flags(step.params))  # fmt: skip


def _integrate(to: _Files, step: Integrated) -> None:
    tables = []
    for number, section in enumerate(step.sections, start=1):
        to.note(f"section {section.name}")
        other = _Files(to.out, to.lines, f"section_{number}_")
        for each in section.steps:
            if not isinstance(each, Referenced | Integrated | Exported):
                _add(other, each)
        tables.append(other.cells)
    tables.insert(step.place, to.cells)
    several = len(tables) > 1
    out = to.file("integrated" if several else "integrated.h5ad")
    to.call("integrate", *tables, "--reference", to.reference, "--out", out,
            *as_flags(step.params), f"--seed={step.seed}")  # fmt: skip
    tables = [f"{out}/{one.rpartition('/')[2]}" for one in tables] if several else [out]
    if step.cluster is not None:
        out = to.file("clustered" if several else "clustered.h5ad")
        to.call("cluster", *tables, "--out", out, *as_flags(step.cluster),
                f"--seed={step.cluster_seed}")  # fmt: skip
        tables = [f"{out}/{one.rpartition('/')[2]}" for one in tables] if several else [out]
    to.cells = tables[step.place]
    for number, column in enumerate(step.columns, start=1):
        typed = to.file(f"types_{number}.h5ad")
        to.call("transfer", to.cells, column, "--reference", to.reference, "--out", typed)
        to.cells = typed


def _regions(regions: Data | None) -> list[str]:
    return [] if regions is None else ["--regions", regions.path]
