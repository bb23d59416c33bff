"""Whether peaks and genes are of one genome build: open chromatin gathers at gene starts."""

import numpy as np
import pandas as pd

from napari_gluer.analysis.intervals import (
    CHROMOSOME,
    END,
    START,
    overlapping,
    plain_chromosome,
    transcription_starts,
)
from napari_gluer.errors import InputError

LEAST_ENRICHMENT = 2.0
"""Peaks lie at starts this many times as often as moved ones, at least."""

_SHIFTS = (-500_000, -200_000, -100_000, -50_000, 50_000, 100_000, 200_000, 500_000)
_AROUND_START = 500
_LEAST_EXPECTED = 20  # fewer peaks at starts by chance tell nothing


def require_same_build(intervals: pd.DataFrame, annotation: pd.DataFrame, least: float) -> str:
    """Refuse peaks that do not gather at transcription starts.

    Parameters
    ----------
    intervals
        Peaks or fragments: ``chromosome`` (plain), ``start``, ``end``.
    annotation
        Of `read_annotation`.
    least
        Ratio that is asked for; 0 asks nothing.

    Returns
    -------
    str
        What was found, for the outcome; empty where nothing was asked.

    Raises
    ------
    InputError
        If peaks lie at starts less than `least` times as often as the same peaks moved by 50 to
        500 kb, and chance alone would put 20 of them or more there.
    """
    if not least:
        return ""
    found, expected = start_enrichment(intervals, starts_of(annotation))
    if expected * len(intervals) < _LEAST_EXPECTED:
        return "too few lie near transcription starts to tell whether the genome build is the same"
    if found < least * expected:
        raise InputError(
            f"{found:.1%} of the peaks lie at a transcription start, and {expected:.1%} of peaks "
            "moved elsewhere do: the annotation seems to be of another genome build or species. "
            "Take that of the alignment, or set least_enrichment to 0."
        )
    return f"{found / expected:.1f} times as many lie at transcription starts as moved elsewhere"


def starts_of(annotation: pd.DataFrame) -> pd.DataFrame:
    """Windows around the transcription starts."""
    at = transcription_starts(annotation)
    return pd.DataFrame(
        {
            CHROMOSOME: [plain_chromosome(str(name)) for name in annotation[CHROMOSOME]],
            START: at - _AROUND_START,
            END: at + _AROUND_START,
        }
    )


def start_enrichment(intervals: pd.DataFrame, starts: pd.DataFrame) -> tuple[float, float]:
    """Share of intervals at transcription starts, and the same for intervals moved elsewhere.

    In another genome build everything has moved by other distances, and nothing gathers.
    """
    here = intervals.dropna(subset=[CHROMOSOME])
    elsewhere = [
        here.assign(**{START: here[START] + shift, END: here[END] + shift}) for shift in _SHIFTS
    ]
    met = [len(np.unique(overlapping(one, starts)[0])) / len(here) for one in (here, *elsewhere)]
    return met[0], float(np.mean(met[1:]))
