"""Which of the steps that were done the present result comes from."""

from collections.abc import Sequence

from napari_gluer.pipeline.recipes.steps import (
    Assigned,
    Cleaned,
    Edited,
    Exported,
    Integrated,
    Masked,
    Measured,
    Referenced,
    Replaced,
    Section,
    Segmented,
    Selected,
    Step,
    Tabled,
)

_LABELS = (Segmented, Masked, Tabled)
_ORIGINS = (Measured, Assigned, Tabled, Replaced)


def needed(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps without those that later ones made undone.

    Measuring or counting starts a new table, cleaning starts again from the measured one, and both
    drop an integration. The reference may have been opened at any time before.

    Parameters
    ----------
    steps
        In the order in which they were done.

    Returns
    -------
    tuple of steps
        Labels, table, markers, cleaning, reference, integration and what came of it, in an order
        in which each finds what it needs.
    """
    origin = _last(steps, _ORIGINS)
    found: list[Step] = []
    if origin is None:
        return tuple(_one(steps, _LABELS) + _one(steps, Referenced))
    if not _brings_labels(steps[origin]):
        found += _one(steps[: origin + 1], _LABELS)
    found.append(steps[origin])
    later = list(steps[origin + 1 :])
    cleaned = _last(later, Cleaned)
    if cleaned is not None:
        found += [*_one(later[:cleaned], Edited), later[cleaned]]
        later = later[cleaned + 1 :]
    integrated = _last(later, Integrated)
    if integrated is None:
        return (*found, *_one(later, Edited), *_one(steps, Referenced), *_kept(later))
    step = later[integrated]
    before, after = later[:integrated], later[integrated + 1 :]
    done = steps[: len(steps) - len(after)]
    found += [*_one(before, Edited), *_one(done, Referenced), _with_needed_sections(step)]
    found += [*_kept(before), *_one(after, Edited), *_kept(after)]
    return tuple(found)


def _brings_labels(step: Step) -> bool:
    return isinstance(step, Tabled) or (isinstance(step, Replaced) and step.labels is not None)


def _with_needed_sections(step: Step) -> Step:
    if not isinstance(step, Integrated):
        raise TypeError(type(step))
    if not step.sections:
        return step
    sections = tuple(Section(name=one.name, steps=needed(one.steps)) for one in step.sections)
    return step.model_copy(update={"sections": sections})


def _kept(steps: Sequence[Step]) -> list[Step]:
    """Selections as they were saved last, which replaces those before, and exports."""
    last = _last(steps, Selected)
    return [one for i, one in enumerate(steps) if isinstance(one, Exported) or i == last]


def _one(steps: Sequence[Step], kinds: type | tuple[type, ...]) -> list[Step]:
    """The last step of these kinds, in a list; an empty one without."""
    at = _last(steps, kinds)
    return [] if at is None else [steps[at]]


def _last(steps: Sequence[Step], kinds: type | tuple[type, ...]) -> int | None:
    places = [i for i, one in enumerate(steps) if isinstance(one, kinds)]
    return places[-1] if places else None
