"""How far the work is, and how long it will still take, in words."""

import time
from collections.abc import Callable

_TOO_EARLY = 1.0  # seconds: before, nobody knows and nobody asks
_MINUTE, _HOUR = 60, 3600


class TimeLeft:
    """Follows the loops of a job; what is left of a loop is reckoned from its pace so far.

    Parameters
    ----------
    clock
        Gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: dict[tuple[str, int], tuple[float, int]] = {}
        self._at: dict[tuple[str, int], int] = {}

    def said(self, desc: str, done: int, total: int) -> str:
        """What a job tells, as a line: ``Joint factorisation … 40 %, about 12 s left``.

        Parameters
        ----------
        desc, done, total
            As `JobSignals.progressed`; a total of 0 is not known.
        """
        loop = (desc, total)
        if loop not in self._begun or done < self._at[loop]:
            self._begun[loop] = (self._clock(), done)  # a loop may run several times
        self._at[loop] = done
        text = f"{desc} …"
        if total <= 1:
            return text
        begun, first = self._begun[loop]
        took, steps = self._clock() - begun, done - first
        text = f"{text} {done / total:.0%}".replace("%", " %")
        if not steps or took < _TOO_EARLY or done >= total:
            return text
        return f"{text}, about {in_words(took / steps * (total - done))} left"


def in_words(seconds: float) -> str:
    """A time as people say it: seconds, from 20 on in fives; minutes; hours and minutes."""
    if seconds < _MINUTE - 5 / 2:
        near = round(seconds) if seconds < 20 else 5 * round(seconds / 5)
        return f"{max(near, 1)} s"
    minutes = round(seconds / _MINUTE)
    if seconds < _HOUR - _MINUTE / 2:
        return f"{max(minutes, 1)} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
