"""What all commands share: the application, exit status, progress."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from anndata import AnnData
from cyclopts import App, CycloptsError, Parameter
from tqdm import tqdm

import napari_gluer as ng
from napari_gluer.cli.faults import arguments_of, fault_of
from napari_gluer.cli.helping import EPILOGUE, Sections
from napari_gluer.cli.kinds import as_numbers, fill_kinds
from napari_gluer.cli.printing import Unset, as_toml
from napari_gluer.cli.settings import FromFile
from napari_gluer.errors import InputError
from napari_gluer.io.atomic import refuse_unwritable

T = TypeVar("T")
ANOTHER = 3
"""Exit status of a result that does not come out again."""
SOME_FAILED = 4
"""Exit status of a run over several images of which at least one failed."""

Flat = Parameter(name="*")
Tiles = Annotated[ng.TileParams, Parameter(name="tiles", help="Size of tiles, threads, cluster.")]
Reading = Annotated[ng.ImageParams, Flat]
Limits = Annotated[
    Path | None, Parameter(help="Outlines of what to use, and what to leave out, .geojson.")
]
Store = Annotated[
    Path | None,
    Parameter(help="Folder for finished tiles: after a kill the same call goes on where it was."),
]

ALWAYS = (fill_kinds, as_numbers)
"""What goes over the flags of every call."""

app = App(
    name="napari-gluer",
    help="Paint genes that were never imaged onto multiplexed tissue images.",
    version=ng.__version__,
    result_action="return_value",
    help_epilogue=EPILOGUE,
    exit_on_error=False,
    print_error=False,
    config=ALWAYS,
    default_parameter=Parameter(consume_multiple=True, negative_iterable=()),
)


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; `words` are those of the command line when None.

    Returns
    -------
    int
        The exit status, see `helping.EPILOGUE`.
    """
    try:
        return _called(Asked.of(sys.argv[1:] if words is None else words))
    except InputError as error:
        print(f"napari-gluer: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # who read the output has gone, as in "napari-gluer … | head"
        _silence()
        return 0
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        print(f"napari-gluer: cannot read or write{where}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("napari-gluer: interrupted", file=sys.stderr)
        return 130


def _silence() -> None:
    """Send what is still to be printed nowhere, else Python complains at its end.

    As in https://docs.python.org/3/library/signal.html#note-on-sigpipe.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@dataclass(frozen=True)
class Asked:
    """The words of a call, less those that every command takes."""

    words: tuple[str, ...]
    config: Path | None = None
    print_config: bool = False
    help_all: bool = False

    @classmethod
    def of(cls, words: Sequence[str]) -> "Asked":
        """Sort the words of a command line.

        Raises
        ------
        InputError
            If --config stands without a file, or twice.
        """
        end = words.index("--") if "--" in words else len(words)
        left, configs, flags = [], [], set()
        before = iter(words[:end])
        for word in before:
            if word == "--config" or word.startswith("--config="):
                configs.append(word[9:] or next(before, ""))
            elif word in {"--print-config", "--help-all"}:
                flags.add(word)
            else:
                left.append(word)
        if len(configs) > 1 or "" in configs:
            raise InputError("--config takes one TOML file, once.")
        return cls(
            (*left, *words[end:]),
            Path(configs[0]) if configs else None,
            "--print-config" in flags,
            "--help-all" in flags,
        )


def _called(asked: Asked) -> int:
    words = [*asked.words, *(["--help"] if asked.help_all else [])]
    arguments = arguments_of(app, words)
    report.last = ""
    unset = Unset()
    file = [] if asked.config is None else [FromFile(asked.config)]
    app.config = (*file, *ALWAYS, *([unset] if asked.print_config else []))
    app.help_formatter = Sections(
        arguments=arguments, command=next(iter(words), ""), everything=asked.help_all
    )
    try:
        if asked.print_config and arguments is not None and "--help" not in words:
            _, bound, _ = app.parse_args(words)
            print(as_toml(words[0], bound, arguments, unset.names), end="")
            return 0
        status = app(words)
    except CycloptsError as error:
        source = "" if asked.config is None else str(asked.config)
        raise InputError(fault_of(error, arguments, words, source)) from error
    finally:
        app.config = ALWAYS
    sys.stdout.flush()  # a reader that has gone is noticed here
    return status if isinstance(status, int) else 0


def reference_of(cells: AnnData, path: Path) -> AnnData:
    """The reference at `path`, or those of its cells that `cells` were integrated with."""
    drawn = json.loads(str(cells.uns.get("gluer", {}).get("reference_subsample", "null")))
    if drawn is None:
        return ng.read_reference(path)
    params = ng.SubsampleParams.model_validate_json(drawn["params"])
    return ng.read_reference(path, params, seed=int(drawn["seed"]))


def refuse_inputs(out: Path, *inputs: Path | str | None) -> None:
    """Refuse to write over a file that is read, or where nothing can be written."""
    if out.resolve() in {Path(path).resolve() for path in inputs if path is not None}:
        raise InputError(f"{out} is read by this command; give --out another name.")
    refuse_unwritable(out)


class _Report:
    """Progress: a bar with the time left on a terminal, one plain line a step elsewhere."""

    last = ""

    def __call__(self, items: Iterable[T], desc: str, /) -> Iterator[T]:
        """Yield `items`."""
        if sys.stderr.isatty():
            columns, lines = shutil.get_terminal_size()  # of terminals without a size 80 × 24
            yield from tqdm(items, desc=desc, leave=False, ncols=columns, nrows=lines)
            return
        if desc != self.last:  # a step of many small loops is said once
            print(f"{desc} …", file=sys.stderr, flush=True)
        self.last = desc
        yield from items


report = _Report()
