"""Steps as files: a script or commands, and beside them what no other file holds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_gluer.errors import InputError
from napari_gluer.io.atomic import atomic_path
from napari_gluer.io.hashing import sha256
from napari_gluer.io.labels_files import read_labels
from napari_gluer.io.selections import write_selections
from napari_gluer.pipeline.recipes.commands import as_commands
from napari_gluer.pipeline.recipes.keeping import (
    Fingerprint,
    Snapshot,
    write_columns,
    write_kept,
)
from napari_gluer.pipeline.recipes.needed import needed
from napari_gluer.pipeline.recipes.script import as_script
from napari_gluer.pipeline.recipes.steps import Data, Edited, Integrated, Selected, Step
from napari_gluer.track import Track, silently

Form = Literal["script", "recipe"]
_ENDINGS = {"script": ".py", "recipe": ".sh"}


def write_recipe(  # noqa: PLR0913 - what, where and how
    steps: Sequence[Step],
    kept: Mapping[str, Any],
    path: Path | str,
    *,
    form: Form,
    what: str,
    version: str,
    track: Track = silently,
) -> list[Path]:
    """Write steps as a Python script or as a shell script of commands.

    Parameters
    ----------
    steps
        In the order in which they were done.
    kept
        What has no file, by `Data.kept`: written into a folder beside, ``<name>_inputs``.
    path
        File to write, ``.py`` or ``.sh``.
    form
        Which of both.
    what
        The cells, in words.
    version
        Of this package.
    track
        Reports the files that are written.

    Returns
    -------
    list of pathlib.Path
        The script first, then what lies beside it.

    Raises
    ------
    InputError
        If there is nothing to repeat, something that was kept is gone, or `path` ends otherwise.
    """
    target = Path(path)
    if target.suffix != _ENDINGS[form]:
        raise InputError(f"{target.name}: a {form} is a file whose name ends in {_ENDINGS[form]}.")
    chosen = needed(steps)
    if not chosen:
        raise InputError("Nothing was done to these cells yet that could be repeated.")
    beside = _Beside(target.with_name(f"{target.stem}_inputs"), target.parent, kept)
    resolved = [beside.resolved(step) for step in track(chosen, "Writing what the steps need")]
    out = f"{target.stem}_results"
    if form == "script":
        text = as_script(resolved, what=what, version=version, out=out)
    else:
        text = as_commands(resolved, what=what, version=version, file=target.name, out=out)
    with atomic_path(target) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.chmod(0o755)
    return [target, *beside.files.values()]


class _Beside:
    """Writes what has no file of its own.

    Attributes
    ----------
    files
        What was written, by key.
    """

    def __init__(self, folder: Path, start: Path, kept: Mapping[str, Any]) -> None:
        self._folder, self._start, self._kept = folder, start, kept
        self._numbers: Counter[str] = Counter()
        self.files: dict[str, Path] = {}

    def resolved(self, step: Step) -> Step:
        """The step, with relative paths to files beside the script."""
        changed: dict[str, Any] = {
            name: self._file_of(value) for name, value in step if isinstance(value, Data)
        }
        if isinstance(step, Integrated):
            sections = [
                one.model_copy(update={"steps": tuple(self.resolved(each) for each in one.steps)})
                for one in step.sections
            ]
            changed["sections"] = tuple(sections)
        if isinstance(step, Edited):
            path = self._next("markers")
            write_columns(step.columns, step.channels, path)
            self.files[path.name] = path
            changed["file"] = self._relative(path)
        if isinstance(step, Selected):
            path = self._next("selections")
            write_selections(path, step.named)
            self.files[path.name] = path
            changed["file"] = self._relative(path)
        return step.model_copy(update=changed) if changed else step

    def _file_of(self, data: Data) -> Data:
        if not data.kept:
            known = self._kept.get(data.path)
            taken = known.value if isinstance(known, Fingerprint) and not data.sha256 else ""
            return data.model_copy(update={"sha256": taken}) if taken else data
        if data.kept not in self._kept:
            raise InputError(f"{data.kept} is no longer there, so the steps cannot be written.")
        value = self._kept[data.kept]
        if data.path and _is_in_file(value, data.path):
            return Data(path=data.path, sha256=sha256(data.path))
        if data.kept not in self.files:
            self.files[data.kept] = write_kept(value, self._folder, data.kept)
        path = self.files[data.kept]
        return data.model_copy(update={"path": self._relative(path), "sha256": sha256(path)})

    def _next(self, name: str) -> Path:
        self._numbers[name] += 1
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"{name}_{self._numbers[name]}.csv"

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._start).as_posix()


def _is_in_file(value: Any, path: str) -> bool:
    """Whether labels are still those that a file holds."""
    if not isinstance(value, Snapshot) or not Path(path).exists():
        return False
    try:
        stored = read_labels(path)
    except InputError:
        return False
    return np.array_equal(stored, value.labels)
