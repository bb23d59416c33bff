"""What a result must remember to be judged and repeated, and one line of what happened."""

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from anndata import AnnData

from napari_gluer import slots
from napari_gluer.errors import listed
from napari_gluer.integration.choice import Choice
from napari_gluer.integration.link_words import translated
from napari_gluer.integration.linked import Linked
from napari_gluer.integration.linking import CONSTANT, SILENT, doubt_of
from napari_gluer.integration.params import IntegrateParams

_FEW_FEATURES = 5
_PACKAGES = ("napari-gluer", "numpy", "scipy", "scikit-learn", "anndata", "torch")


def provenance(
    linked: Linked,
    choice: Choice,
    params: IntegrateParams,
    seed: int,
    timings: Mapping[str, float],
) -> dict[str, Any]:
    """Entries of ``uns["gluer"]`` that say what was integrated, how and with what."""
    expressed, known = linked.expressed, slots.info(linked.reference)
    genes = [";".join(genes) for genes in linked.links["genes"]]
    source = {f"reference_{name}": known[name] for name in ("path", "sha256") if name in known}
    if "subsample" in known:
        source["reference_subsample"] = json.dumps(known["subsample"])
    return source | {
        slots.REFERENCE_NAMES: linked.reference.obs_names.astype(str).to_numpy(object),
        slots.FINGERPRINT: linked.fingerprint,
        "reference_expression": f"{expressed.kind} in {expressed.source}",
        "links": json.dumps(dict(zip(linked.links.index, genes, strict=True))),
        "link_details": linked.links[["found", "note", "detected"]].to_json(orient="index"),
        "unlinked": json.dumps(linked.unlinked),
        "quality": json.dumps(linked.quality.reasons),
        "chosen": json.dumps(_choice(choice)),
        "params": params.model_dump_json(),
        "seed": seed,
        "versions": json.dumps(versions()),
        "timings": json.dumps(timings),
        "linked_values_sha256": linked.digest,
    }


def _choice(choice: Choice) -> dict[str, Any]:
    tried = [
        {**shares._asdict(), "agreement": round(agreement, 4)}
        for shares, agreement in choice.agreement.items()
    ]
    return {**choice.shares._asdict(), "tried": tried}


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that compute."""
    return {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}


def outcome(result: AnnData, linked: Linked, choice: Choice, doubts: Sequence[str] = ()) -> str:
    """One line for a person; `doubts` are those of other steps."""
    known, unmatched = slots.info(result), int(slots.without_signal(result).sum())
    text = (
        f"{result.n_obs:,} cells integrated with {linked.reference.n_obs:,} reference cells over "
        f"{len(linked.links):,} linked features, {known['n_anchors']:,} anchors, {known['rank']} "
        f"factors{_words(choice)}"
    )
    parts = [text]
    if unmatched:
        cells = "1 cell" if unmatched == 1 else f"{unmatched:,} cells"
        parts.append(f"{cells} without signal {_are(unmatched)} unmatched")
    if linked.quality.text:
        parts.append(linked.quality.text)
    for why, words in ((SILENT, "silent in the reference"), (CONSTANT, "of one value only")):
        left_out = [name for name, reason in linked.unlinked.items() if reason == why]
        if left_out:
            are = _are(len(left_out))
            parts.append(f"{len(left_out):,} {words} {are} left out ({listed(left_out, 3)})")
    return "; ".join([*parts, *translated(linked.links), *_doubts(result, linked, doubts)])


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _doubts(result: AnnData, linked: Linked, others: Sequence[str]) -> list[str]:
    """What a person should know before believing the result."""
    n_links = len(linked.links)
    few = f"{n_links} linked features tell few kinds of cells apart"
    if n_links == 1:
        few = "1 linked feature tells few kinds of cells apart"
    cells, reference = doubt_of(result), linked.expressed.doubt
    return [
        *([few] if n_links <= _FEW_FEATURES else []),
        *([f"the values of the cells were {cells}"] if cells else []),
        *([f"the values of the reference were {reference}"] if reference else []),
        *(text for text in others if text),
    ]


def _words(choice: Choice) -> str:
    """What was chosen from the data, as the end of a sentence."""
    if not choice.agreement:
        return ""
    told, turned = choice.shares
    return (
        f" ({turned:.0%} linearly mapped, {told:.0%} of the space from the reference's "
        "transcriptome, as held-out features advise)"
    )
