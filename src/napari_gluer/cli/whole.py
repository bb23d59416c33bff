"""Commands that run all steps."""

from pathlib import Path
from typing import Annotated

import napari_gluer as ng
from napari_gluer.cli.application import Flat, Limits, Reading, Tiles, app, report


@app.command
def run(  # noqa: PLR0913 - one parameter a flag
    source: str,
    *,
    reference: Path,
    out: Path,
    masks: str | None = None,
    reading: Reading = ng.ImageParams(),  # noqa: B008 - frozen
    regions: Limits = None,
    params: Annotated[ng.PipelineParams, Flat] = ng.PipelineParams(),  # noqa: B008
    seed: int = 0,
    tiles: Tiles = ng.TileParams(),  # noqa: B008
) -> None:
    """Run all steps, from a tissue image, spots or cells to genes painted on the tissue.

    Parameters
    ----------
    source
        Multiplexed image (file, folder or address), decoded spots (.csv, .csv.gz, .parquet; with
        masks), or table of cells with positions (.h5ad).
    reference
        Single-cell RNA-seq, .h5ad.
    out
        Folder for cells.h5ad, labels.ome.tif, PNGs and run.json.
    masks
        Labels image, or outlines of cells, to use in place of segmenting.
    reading, regions, tiles
        As declared in `application`.
    params
        Parameters of every step.
    seed
        Of every random draw.
    """
    inputs = ng.Inputs(source, reference, masks, regions, reading)
    result = ng.run(inputs, out, params, seed=seed, tiles=tiles, track=report)
    for step, outcome in result.log.outcomes.items():
        print(f"{step:>15}  {outcome}")
    print("\n".join(str(path) for path in result.files))


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
