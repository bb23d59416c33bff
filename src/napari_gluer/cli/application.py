"""What all commands share: the application, exit status, progress."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

from anndata import AnnData
from cyclopts import App, CycloptsError, Parameter
from tqdm import tqdm

import napari_gluer as ng
from napari_gluer.errors import InputError

T = TypeVar("T")
ANOTHER = 3
"""Exit status of a result that does not come out again."""

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

app = App(
    name="napari-gluer",
    help="Paint genes that were never imaged onto multiplexed tissue images.",
    version=ng.__version__,
    result_action="return_value",
    default_parameter=Parameter(consume_multiple=True, negative_iterable=()),
)


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; `words` are those of the command line when None.

    Returns
    -------
    int
        The exit status.
    """
    try:
        status = app(sys.argv[1:] if words is None else [*words], exit_on_error=False)
    except CycloptsError:
        return 2  # it has said what is wrong
    except InputError as error:
        print(f"napari-gluer: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        print(f"napari-gluer: cannot read or write{where}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("napari-gluer: interrupted", file=sys.stderr)
        return 130
    return status if isinstance(status, int) else 0


def reference_of(cells: AnnData, path: Path) -> AnnData:
    """The reference at `path`, or those of its cells that `cells` were integrated with."""
    drawn = json.loads(str(cells.uns.get("gluer", {}).get("reference_subsample", "null")))
    if drawn is None:
        return ng.read_reference(path)
    params = ng.SubsampleParams.model_validate_json(drawn["params"])
    return ng.read_reference(path, params, seed=int(drawn["seed"]))


def refuse_inputs(out: Path, *inputs: Path) -> None:
    """Refuse to write over a file that is read."""
    if out.resolve() in {path.resolve() for path in inputs}:
        raise InputError(f"{out} is read by this command; give --out another name.")


def report(items: Iterable[T], desc: str, /) -> Iterator[T]:
    """Progress: a bar on a terminal, one plain line a step elsewhere."""
    if sys.stderr.isatty():
        yield from tqdm(items, desc=desc, leave=False)
        return
    print(f"{desc} …", file=sys.stderr, flush=True)
    yield from items
