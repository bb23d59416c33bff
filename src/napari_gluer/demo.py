"""The whole path on the simulated tissue, judged by its truth and shown in napari."""

from pathlib import Path

import pandas as pd

from napari_gluer.io.atomic import atomic_path
from napari_gluer.painting import LabelIndex
from napari_gluer.pipeline import Inputs, PipelineParams, Result, run
from napari_gluer.pipeline.writing import Painter
from napari_gluer.sample import SampleTissue, sample_tissue
from napari_gluer.segmentation.nuclei import SegmentParams
from napari_gluer.segmentation.params import Expansion
from napari_gluer.track import Track, silently
from napari_gluer.validation import GLUER, TYPE_MEAN, compare_with_truth, matched_truth

DEMO_PARAMS = PipelineParams(segment=SegmentParams(growth=Expansion(distance=3.0)))
"""Nuclei grow by 3 µm into cells: most markers of the sample lie in the membrane."""


_LEVEL = 0.005
"""Differences up to here are nothing to speak of."""


def run_demo(
    out: Path, *, seed: int = 0, window: bool = True, track: Track = silently
) -> tuple[str, list[Path]]:
    """Run, judge and show the simulated tissue.

    Parameters
    ----------
    out
        Folder for what `run` writes, the truth of the same genes, and pictures of napari.
    seed
        Of the tissue and of every random draw.
    window
        Show the result in napari.
    track
        Wraps every long loop.

    Returns
    -------
    text
        What was done, how right it is, and what that means.
    files
        Everything that was written.
    """
    tissue = sample_tissue(seed)
    inputs = Inputs(tissue.image, tissue.reference)
    result = run(inputs, out, DEMO_PARAMS, seed=seed, track=track)
    text, files = judged(result, tissue, out)
    if window:
        from napari_gluer._napari.showing import can_show, show_demo  # noqa: PLC0415 - optional

        if can_show():
            files += show_demo(result, tissue, scores_text(text), out)
        else:
            text += "\nThere is no display, so napari was not opened (make demo brings one)."
    return text, [*result.files, *files]


def judged(result: Result, tissue: SampleTissue, out: Path) -> tuple[str, list[Path]]:
    """The verdict in words and numbers, and the true expression of the painted genes."""
    found, truth = matched_truth(result.cells, result.found.labels, tissue.labels, tissue.truth)
    scores = compare_with_truth(found, tissue.reference, truth)
    text = verdict(result, tissue, scores)
    files = [out / "trust.txt"]
    with atomic_path(files[0]) as partial:
        partial.write_text(text + "\n", encoding="utf-8")
    painter = Painter(tissue.truth, LabelIndex(tissue.labels), tissue.image.spacing_um)
    for painted, picture in result.painted.items():
        files.append(out / f"truth_{picture.stem.removeprefix('gene_')}.png")
        values = tissue.truth[:, painted].X.toarray().ravel()
        with atomic_path(files[-1]) as partial:
            painter.gene(painted, values, partial, "the TRUTH of the simulated tissue")
    return text, files


def verdict(result: Result, tissue: SampleTissue, scores: pd.DataFrame) -> str:
    """What was found and how it compares with the truth and with the baselines."""
    table = pd.DataFrame(
        {
            "right type": (100 * scores["right_type"]).map("{:.1f} %".format),
            "gene correlation": scores["gene_correlation"].map("{:.3f}".format),
        }
    )
    steps = "\n".join(f"  {step:<15} {text}" for step, text in result.log.outcomes.items())
    counted = scores.iloc[0]
    return f"""SIMULATED tissue (real transcriptomes, made-up anatomy and image)
{steps}

How right it is, for the {int(counted.n_cells):,} of {tissue.truth.n_obs:,} true cells that were \
found:
{table.to_string()}

right type: share of cells whose transferred type is the true one.
gene correlation: Spearman over cells between imputed and true expression, median over \
{int(counted.n_genes)} genes
that were not measured and are expressed by at least 10 % of the cells.
{_comparison(scores)}
The defaults were chosen while looking at this tissue too, so these numbers flatter them."""


def scores_text(verdict: str) -> str:
    """The part of the verdict that says how right the result is."""
    return verdict[verdict.index("How right") :]


def _comparison(scores: pd.DataFrame) -> str:
    """Say plainly where a baseline did as well or better."""
    types, genes = (
        {str(name): float(value) for name, value in scores[column].items()}
        for column in ("right_type", "gene_correlation")
    )
    del types[TYPE_MEAN]  # it has GLUER's own types
    return "\n".join([_sentence("types", types), _sentence("genes", genes)])


def _sentence(what: str, values: dict[str, float]) -> str:
    others = {name: value for name, value in values.items() if name != GLUER}
    best = max(others, key=lambda name: others[name])
    gain = values[GLUER] - others[best]
    word = "does as well as"
    if abs(gain) > _LEVEL:
        word = "beats" if gain > 0 else "does NOT beat"
    return f"For {what} GLUER {word} the best baseline ({best}): {gain:+.3f}."
