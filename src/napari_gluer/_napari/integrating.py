"""What the Integrate step needs, and what it says of the result; knows no widget."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from anndata import AnnData
from napari.layers import Labels

from napari_gluer import slots
from napari_gluer._napari.attached import cells_of, needed_cells, needed_reference, reference_of
from napari_gluer._napari.integration_plan import Plan
from napari_gluer._napari.layers import warm_up
from napari_gluer._napari.processes import in_process
from napari_gluer._napari.steps.base import Outcome
from napari_gluer.errors import InputError, listed
from napari_gluer.integration.linked import NOT_WANTED
from napari_gluer.track import Track


def run_plan(plan: Plan, track: Track) -> list[AnnData]:
    """Integrate in a process of its own, which holds up no window and ends when it is told."""
    results = in_process(Plan.run, plan, track=track)
    warm_up()
    return results


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
        if not is_same_reference(one, references[0])
    ]
    if others:
        raise InputError(
            f"{_quoted(others)} {'has' if len(others) == 1 else 'have'} another reference than "
            f"“{layers[0].name}”, and sections share one. Choose “reference of “{layers[0].name}”” "
            "in Plugins ▸ GLUER ▸ Reference."
        )
    return [needed_cells(layer) for layer in layers], references[0]


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


def is_same_reference(one: AnnData | None, other: AnnData) -> bool:
    """Whether two references are one, or were read alike from one file."""
    if one is other:
        return True
    if one is None:
        return False
    digest = slots.info(one).get("sha256")
    return (
        digest is not None
        and digest == slots.info(other).get("sha256")
        and one.obs_names.equals(other.obs_names)
        and one.var_names.equals(other.var_names)
    )


def _quoted(names: Sequence[str]) -> str:
    return listed([f"“{name}”" for name in names])
