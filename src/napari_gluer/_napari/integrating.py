"""What the Integrate step runs, and what it says of the result; knows no widget."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from napari.layers import Labels

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.attached import cells_of, needed_cells, needed_reference, reference_of
from napari_gluer._napari.cells.edits import left_out
from napari_gluer._napari.layers import warm_up
from napari_gluer._napari.references.columns import label_columns
from napari_gluer._napari.steps.base import Outcome
from napari_gluer.errors import InputError, listed
from napari_gluer.integration.linked import NOT_WANTED
from napari_gluer.track import Track


@dataclass(frozen=True, eq=False)
class Plan:
    """Which sections are integrated with which reference, and how.

    Attributes
    ----------
    tables
        Cells of each section.
    reference
        One for all.
    """

    tables: Sequence[AnnData]
    reference: AnnData
    params: ng.IntegrateParams
    seed: int
    cluster: bool

    def run(self, track: Track) -> list[AnnData]:
        """Integrate the sections, in one factorisation; types and clusters with it."""
        together: Any = self.tables[0] if len(self.tables) == 1 else list(self.tables)
        params = self._without_left_out()
        found = ng.integrate(together, self.reference, params, seed=self.seed, track=track)
        results = [found] if isinstance(found, AnnData) else list(found)
        for result in results:
            with_types(result, self.reference)
        warm_up()
        return clustered(results, self.seed, track) if self.cluster else results

    def _without_left_out(self) -> ng.IntegrateParams:
        """The parameters, with the markers that a person left out of any section."""
        out = {name for table in self.tables for name in left_out(table)}
        if not out:
            return self.params
        links = ng.linked_features(list(self.tables), self.reference, least_detected=0)
        without = tuple(str(name) for name in links.index if name in out)
        features = self.params.features.model_copy(update={"without": without})
        return self.params.model_copy(update={"features": features})


def needed_sections(layers: Sequence[Labels]) -> tuple[list[AnnData], AnnData]:
    """The tables of labels layers, and the one reference for all of them.

    Raises
    ------
    InputError
        That names the layers without cells, without a reference, or with different ones.
    """
    if len(layers) == 1:
        return [needed_cells(layers[0])], needed_reference(layers[0])
    _refuse(layers, cells_of, "are not measured yet. Do Plugins ▸ GLUER ▸ Cells first")
    _refuse(
        layers, reference_of, "have no reference yet. Open one in Plugins ▸ GLUER ▸ Reference first"
    )
    references = [needed_reference(layer) for layer in layers]
    others = [
        layer.name
        for layer, one in zip(layers, references, strict=True)
        if not _is_same(one, references[0])
    ]
    if others:
        raise InputError(
            f"{_quoted(others)} {'has' if len(others) == 1 else 'have'} another reference than "
            f"“{layers[0].name}”, and sections share one. Choose “reference of “{layers[0].name}”” "
            "in Plugins ▸ GLUER ▸ Reference."
        )
    return [needed_cells(layer) for layer in layers], references[0]


def clustered(results: Sequence[AnnData], seed: int, track: Track) -> list[AnnData]:
    """Cluster the cells of all sections together: a cluster is the same in each."""
    if len(results) == 1:
        return [ng.cluster(results[0], ng.ClusterParams(), seed=seed, track=track)]
    unmatched = np.concatenate([slots.unmatched(one) for one in results])
    every = pd.DataFrame(
        {slots.UNMATCHED: unmatched}, index=pd.RangeIndex(len(unmatched)).astype(str)
    )
    embedding = np.concatenate([one.obsm[slots.EMBEDDING] for one in results])
    together = AnnData(obs=every, obsm={slots.EMBEDDING: embedding})
    found = ng.cluster(together, ng.ClusterParams(), seed=seed, track=track)
    known, start = slots.info(found), 0
    for result in results:
        result.obs[slots.CLUSTER] = found.obs[slots.CLUSTER].array[start : start + result.n_obs]
        slots.note(result, **{key: known[key] for key in ("cluster_params", "cluster_seed")})
        start += result.n_obs
    return list(results)


def with_types(cells: AnnData, reference: AnnData) -> None:
    """Add the reference's label columns, transferred, to the ``obs`` of cells just integrated."""
    for column in label_columns(reference):
        transferred: pd.DataFrame = ng.transfer_labels(cells, reference, column)
        for name, values in transferred.items():
            cells.obs[name] = values


def is_unchanged(before: AnnData, now: AnnData | None) -> bool:
    """Whether a table holds the cells and values that another one held; edits do not count."""
    if now is None or now.shape != before.shape:
        return False
    if now is before:
        return True
    differ: Any = now.X != before.X
    same_cells = now.obs_names.equals(before.obs_names)
    return same_cells and not (differ.nnz if hasattr(differ, "nnz") else differ.any())


def outcome(results: Mapping[str, AnnData]) -> Outcome:
    """What was integrated, what was chosen from the data, and how many cells found no match.

    Parameters
    ----------
    results
        Integrated cells by the name of their layer.
    """
    first = next(iter(results.values()))
    known = slots.info(first)
    n_reference, n_links = len(known[slots.REFERENCE_NAMES]), len(json.loads(known["links"]))
    with_what = f"{n_reference:,} reference cells over {n_links:,} linked features."
    parts = [f"{_counted(results)} integrated with {with_what}"]
    parts += [words] if (words := chosen(known)) else []
    if without := sum(int(slots.without_signal(one).sum()) for one in results.values()):
        parts.append(f"{without:,} cells have no signal and stay unmatched.")
    parts += _absent(results)
    return Outcome(" ".join([*parts, "Next: Explore."]), details(results))


def _absent(results: Mapping[str, AnnData]) -> list[str]:
    """What came of looking for types that the reference lacks, a sentence for each table."""
    several = len(results) > 1
    found = []
    for name, one in results.items():
        text = json.loads(slots.info(one).get("absence", "{}")).get("text", "")
        if text:
            sentence = f"{text[0].upper()}{text[1:]}."
            found.append(f"“{name}”: {sentence}" if several else sentence)
    return found


def _counted(results: Mapping[str, AnnData]) -> str:
    if len(results) == 1:
        return f"{next(iter(results.values())).n_obs:,} cells"
    each = [f"{one.n_obs:,} of “{name}”" for name, one in results.items()]
    return f"{', '.join(each[:-1])} and {each[-1]}".replace(" of", " cells of", 1)


def chosen(known: Mapping[str, Any]) -> str:
    """One sentence on what was chosen from the data, "" where nothing was."""
    if "rank" not in known or "chosen" not in known:
        return ""
    choice = json.loads(known["chosen"])
    if not choice["tried"]:
        return f"{known['rank']} factors."
    told, turned = choice["transcriptome"], choice["mapped"]
    return (
        f"Chosen from the data: {known['rank']} factors, linear map {turned:.0%}, transcriptome "
        f"{told:.0%}."
    )


def details(results: Mapping[str, AnnData]) -> str:
    """The line that each result stores, what was left out, and every choice that was tried."""
    several = len(results) > 1
    lines = [
        f"{name}: {slots.info(one)['outcome']}." if several else f"{slots.info(one)['outcome']}."
        for name, one in results.items()
    ]
    known = slots.info(next(iter(results.values())))
    reasons: dict[str, list[str]] = {}
    for name, why in json.loads(known.get("unlinked", "{}")).items():
        reasons.setdefault("left out by you" if why == NOT_WANTED else why, []).append(name)
    lines += [f"Not linked, {why}: {listed(names, 8)}." for why, names in reasons.items()]
    tried = json.loads(known.get("chosen", "{}")).get("tried", [])
    if tried:
        lines.append("Agreement of held-out features (linear map, transcriptome):")
    lines += [
        f"  {one['mapped']:.0%}, {one['transcriptome']:.0%}: {one['agreement']:.3f}"
        for one in tried
    ]
    return "\n".join(lines)


def _refuse(layers: Sequence[Labels], table: Any, says: str) -> None:
    """Name the layers whose table is missing."""
    missing = [layer.name for layer in layers if table(layer) is None]
    if missing:
        one = says.replace("are not", "is not", 1).replace("have no", "has no", 1)
        raise InputError(f"{_quoted(missing)} {one if len(missing) == 1 else says}.")


def _is_same(one: AnnData, other: AnnData) -> bool:
    """Whether two references are one, or were read alike from one file."""
    if one is other:
        return True
    digest = slots.info(one).get("sha256")
    return (
        digest is not None
        and digest == slots.info(other).get("sha256")
        and one.obs_names.equals(other.obs_names)
        and one.var_names.equals(other.var_names)
    )


def _quoted(names: Sequence[str]) -> str:
    return listed([f"“{name}”" for name in names])
