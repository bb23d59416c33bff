"""The same steps as commands: ``napari-gluer COMMAND --help``.

Exit status: 0 done, 1 a fault of the program, 2 an input that cannot be used, 130 interrupted.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import App, CycloptsError, Parameter
from tqdm import tqdm

import napari_gluer as ng
from napari_gluer.errors import InputError
from napari_gluer.io.atomic import atomic_path
from napari_gluer.io.values import write_values
from napari_gluer.pipeline.writing import Painter, how_known

T = TypeVar("T")
Flat = Parameter(name="*")
_OF_PRESET = Parameter(show_default=False)

app = App(
    name="napari-gluer",
    help="Paint genes that were never imaged onto multiplexed tissue images.",
    version=ng.__version__,
    result_action="return_value",
    default_parameter=Parameter(consume_multiple=True),
)


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; `words` are those of the command line when None.

    Returns
    -------
    int
        The exit status.
    """
    try:
        app(sys.argv[1:] if words is None else [*words], exit_on_error=False)
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
    return 0


def report(items: Iterable[T], desc: str, /) -> Iterator[T]:
    """Progress: a bar on a terminal, one plain line a step elsewhere."""
    if sys.stderr.isatty():
        yield from tqdm(items, desc=desc, leave=False)
        return
    print(f"{desc} …", file=sys.stderr, flush=True)
    yield from items


@app.command
def run(
    source: Path,
    *,
    reference: Path,
    out: Path,
    masks: Path | None = None,
    params: Annotated[ng.PipelineParams, Flat] = ng.PipelineParams(),  # noqa: B008 - frozen
    seed: int = 0,
) -> None:
    """Run all steps, from a tissue image (or a table of cells) to genes painted on it.

    Parameters
    ----------
    source
        Multiplexed image, folder of one-channel TIFFs, or .h5ad table of cells with positions.
    reference
        Single-cell RNA-seq, .h5ad.
    out
        Folder for cells.h5ad, labels.ome.tif, PNGs and run.json.
    masks
        Labels image to use in place of segmenting.
    params
        Parameters of every step.
    seed
        Of every random draw.
    """
    result = ng.run(ng.Inputs(source, reference, masks), out, params, seed=seed, track=report)
    for step, outcome in result.log.outcomes.items():
        print(f"{step:>15}  {outcome}")
    print("\n".join(str(path) for path in result.files))


@app.command
def segment(
    image: Path,
    *,
    out: Path,
    params: Annotated[ng.SegmentParams, Flat] = ng.SegmentParams(),  # noqa: B008 - frozen
) -> None:
    """Find the cells of an image; write a labels image.

    Parameters
    ----------
    image
        Multiplexed image.
    out
        Labels to write, .ome.tif.
    params
        Channels and method.
    """
    opened = ng.read_image(image)
    labels = ng.segment(opened, params, track=report)
    ng.write_labels(labels, out, opened.spacing_um)
    print(f"{labels.max():,} cells in {out}")


@app.command
def measure(image: Path, labels: Path, *, out: Path) -> None:
    """Measure every cell of an image; write a table.

    Parameters
    ----------
    image
        Multiplexed image.
    labels
        Labels image of the same size.
    out
        Table to write, .h5ad.
    """
    cells = ng.measure(ng.read_image(image), ng.read_labels(labels), track=report)
    ng.write_cells(cells, out)
    print(f"{cells.n_obs:,} cells × {cells.n_vars} channels in {out}")


@app.command
def clean(
    cells: Path,
    *,
    out: Path,
    params: Annotated[ng.CleanParams, Flat] = ng.CleanParams(),  # noqa: B008 - frozen
) -> None:
    """Drop what is no cell and turn intensities into comparable signals.

    Parameters
    ----------
    cells
        Table of measured cells, .h5ad.
    out
        Table to write, .h5ad.
    params
        The steps of cleaning.
    """
    cleaned = ng.clean(ng.read_cells(cells), params, track=report)
    ng.write_cells(cleaned, out)
    print(cleaned.uns["gluer"]["clean"]["outcome"])


@app.command
def integrate(
    cells: Path,
    *,
    reference: Path,
    out: Path,
    params: Annotated[ng.IntegrateParams, Flat, _OF_PRESET] = ng.IntegrateParams(),  # noqa: B008 - frozen
    seed: int = 0,
) -> None:
    """Integrate cells with a single-cell reference by GLUER.

    Parameters
    ----------
    cells
        Table of cells, .h5ad.
    reference
        Single-cell RNA-seq, .h5ad.
    out
        Table to write, .h5ad.
    params
        Preset and every part of the method.
    seed
        Of every random draw.
    """
    table, atlas = ng.read_cells(cells), ng.read_reference(reference)
    integrated = ng.integrate(table, atlas, params, seed=seed, track=report)
    ng.write_cells(integrated, out)
    print(integrated.uns["gluer"]["outcome"])


@app.command
def cluster(
    cells: Path,
    *,
    out: Path,
    params: Annotated[ng.ClusterParams, Flat] = ng.ClusterParams(),  # noqa: B008 - frozen
    seed: int = 0,
) -> None:
    """Cluster integrated cells.

    Parameters
    ----------
    cells
        Integrated cells, .h5ad.
    out
        Table to write, .h5ad.
    params
        Neighbours and resolution.
    seed
        Of the search.
    """
    clustered = ng.cluster(ng.read_cells(cells), params, seed=seed, track=report)
    ng.write_cells(clustered, out)
    print(f"{clustered.obs['cluster'].cat.categories.size} clusters in {out}")


@app.command
def impute(cells: Path, genes: list[str], *, reference: Path, out: Path) -> None:
    """Impute genes for every cell; write a CSV with one row per label.

    Parameters
    ----------
    cells
        Integrated cells, .h5ad.
    genes
        Genes of the reference.
    reference
        The reference of the integration, .h5ad.
    out
        CSV to write: label, unmatched, one column per gene (log1p of counts per 10,000).
    """
    table = ng.read_cells(cells)
    values = ng.impute(table, ng.read_reference(reference), genes)
    write_values(table, dict(zip(genes, values.T, strict=True)), out)
    print(f"{len(genes)} genes × {table.n_obs:,} cells in {out}")


@app.command
def transfer(cells: Path, column: str, *, reference: Path, out: Path) -> None:
    """Transfer a label column of the reference to the cells; write a table.

    Parameters
    ----------
    cells
        Integrated cells, .h5ad.
    column
        Column of the reference's obs, cell_type for instance.
    reference
        The reference of the integration, .h5ad.
    out
        Table to write, .h5ad.
    """
    table = ng.read_cells(cells)
    types = ng.transfer_labels(table, ng.read_reference(reference), column)
    table.obs[types.columns] = types
    ng.write_cells(table, out)
    print(types.iloc[:, 0].value_counts().to_string())


@app.command
def paint(cells: Path, labels: Path, gene: str, *, reference: Path, out: Path) -> None:
    """Paint an imputed gene onto the labels; write a PNG.

    Parameters
    ----------
    cells
        Integrated cells, .h5ad.
    labels
        Their labels image.
    gene
        Gene of the reference.
    reference
        The reference of the integration, .h5ad.
    out
        PNG to write.
    """
    table, index = ng.read_cells(cells), ng.LabelIndex(ng.read_labels(labels))
    values = ng.impute(table, ng.read_reference(reference), gene)
    with atomic_path(out) as partial:
        Painter(table, index).gene(gene, values, partial, how_known(gene, table))
    print(out)


@app.command
def demo(*, out: Path = Path("demo-output"), seed: int = 0, window: bool = True) -> None:
    """Run the whole path on the simulated tissue, judge it by its truth, and open napari.

    Parameters
    ----------
    out
        Folder for results and pictures.
    seed
        Of the tissue and of every random draw.
    window
        Open napari; without a real display a picture of it is saved instead.
    """
    from napari_gluer.demo import run_demo  # noqa: PLC0415 - only this command needs it

    text, files = run_demo(out, seed=seed, window=window, track=report)
    print(text)
    print("\n".join(str(path) for path in files))
