"""Commands that run all steps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import napari_gluer as ng
from napari_gluer.cli.application import SOME_FAILED, Flat, Reading, Tiles, app, report
from napari_gluer.errors import InputError
from napari_gluer.pipeline.estimating import BASIS
from napari_gluer.pipeline.many import each_of_many
from napari_gluer.pipeline.matching import expanded, folder_names, is_for_many, matched
from napari_gluer.pipeline.planning import plan, time_text
from napari_gluer.pipeline.records import finished
from napari_gluer.pipeline.running import How

Once = Parameter(negative="")


@app.command
def run(  # noqa: PLR0913 - one parameter a flag
    source: list[str],
    *,
    reference: Path,
    out: Path,
    masks: str | None = None,
    reading: Reading = ng.ImageParams(),  # noqa: B008 - frozen
    regions: str | None = None,
    params: Annotated[ng.PipelineParams, Flat] = ng.PipelineParams(),  # noqa: B008
    seed: int = 0,
    tiles: Tiles = ng.TileParams(),  # noqa: B008
    dry_run: Annotated[bool, Once] = False,
) -> int:
    """Run all steps, from tissue images, spots or cells to genes painted on the tissue.

    What is finished with the same inputs, settings, seed and version is skipped: after a kill the
    same call goes on. Delete a folder to run its image again.

    Parameters
    ----------
    source
        Multiplexed image (file, folder or address), decoded spots (.csv, .csv.gz, .parquet; with
        masks), or table of cells with positions (.h5ad, .zarr). Several are run one by one.
    reference
        Single-cell RNA-seq, .h5ad or .zarr.
    out
        Folder for cells.h5ad, labels.ome.tif, PNGs and run.json; for several sources one folder
        each in it, by their names, and summary.csv.
    masks
        Labels image, or outlines of cells, to use in place of segmenting. For several sources a
        folder, or a pattern such as 'masks/*_cells.tif', matched by name.
    reading, tiles
        As declared in `application`.
    regions
        Outlines of what to use, and what to leave out, .geojson; for several sources as masks.
    params
        Parameters of every step.
    seed
        Of the random numbers: the same seed, the same result.
    dry_run
        Only say what would be done with each source, and about what memory and time it takes.
    """
    sources = expanded(source)
    inputs = _inputs(sources, reference, masks, regions, reading)
    alone = len(sources) == 1
    folders = [out] if alone else [out / name for name in folder_names(sources)]
    if dry_run:
        return _say_plan(inputs, folders, params, seed)
    if alone:
        _run_one(inputs[0], How(params, seed, tiles, report), out)
        return 0
    return _run_many(inputs, How(params, seed, tiles, report), out)


def _inputs(
    sources: Sequence[str],
    reference: Path,
    masks: str | None,
    regions: str | None,
    reading: ng.ImageParams,
) -> list[ng.Inputs]:
    """One for each source, with the masks and regions of its name."""
    of_masks, of_regions = _each(sources, masks, "masks"), _each(sources, regions, "regions")
    return [
        ng.Inputs(source, reference, mask, region, reading)
        for source, mask, region in zip(sources, of_masks, of_regions, strict=True)
    ]


def _each(
    sources: Sequence[str], files: str | None, what: str
) -> Sequence[str | Path] | Sequence[None]:
    if files is None:
        return [None] * len(sources)
    if len(sources) == 1 and not is_for_many(files):
        return [files]
    return matched(sources, files, what)


def _run_one(inputs: ng.Inputs, how: How, out: Path) -> None:
    record = (
        finished(out, inputs, how.params, how.seed) if Path(str(inputs.source)).exists() else None
    )
    if record is None:
        result = ng.run(inputs, out, how.params, seed=how.seed, tiles=how.tiles, track=how.track)
        outcomes, files = result.log.outcomes, result.files
    else:
        print(f"Finished before, with the same inputs and settings; delete {out} to run again.")
        outcomes = {step: str(one["outcome"]) for step, one in record["steps"].items()}
        files = [out / name for name in record["files"]]
    for step, outcome in outcomes.items():
        if outcome:
            print(f"{step:>15}  {outcome}")
    print("\n".join(str(path) for path in files))


def _run_many(inputs: Sequence[ng.Inputs], how: How, out: Path) -> int:
    outcomes = []
    for outcome in how.track(each_of_many(inputs, out, how), "Images"):
        print(outcome.text, flush=True)
        outcomes.append(outcome)
    of = {status: [one for one in outcomes if one.status == status] for status in _STATUSES}
    print(", ".join(f"{len(found)} {status}" for status, found in of.items() if found))
    print(out / "summary.csv")
    return SOME_FAILED if of["failed"] else 0


_STATUSES = ("done", "skipped", "failed")


def _say_plan(
    inputs: Sequence[ng.Inputs], folders: Sequence[Path], params: ng.PipelineParams, seed: int
) -> int:
    plans = plan(inputs, folders, params, seed)
    for one in plans:
        print(one.text)
    expected = [one.estimate for one in plans if one.estimate is not None]
    if expected:
        seconds = sum(one.seconds for one in expected)
        most = max(one.bytes for one in expected)
        print(f"In all {time_text(seconds)}; at most {most / 1e9:.1f} GB at once.")
        print(f"Estimates are from what was {BASIS}.")
    print("Nothing was written, and nothing read but headers.")
    unusable = [one for one in plans if one.problem]
    if unusable and len(plans) == 1:
        raise InputError(unusable[0].problem)
    return SOME_FAILED if unusable else 0


@app.command
def demo(*, out: Path = Path("demo-output"), seed: int = 0, window: bool = True) -> None:
    """Run the whole path on the simulated tissue, judge it by its truth, and open napari.

    Parameters
    ----------
    out
        Folder for results and pictures.
    seed
        Of the tissue and of all random numbers.
    window
        Open napari; without a real display a picture of it is saved instead.
    """
    from napari_gluer.demo import run_demo  # noqa: PLC0415 - only this command needs it

    text, files = run_demo(out, seed=seed, window=window, track=report)
    print(text)
    print("\n".join(str(path) for path in files))
