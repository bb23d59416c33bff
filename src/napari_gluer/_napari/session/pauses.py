"""Long work that belongs to the window's thread, done in the pauses of the window."""

from collections.abc import Callable, Iterator

from qtpy.QtCore import QThread, QTimer

_PAUSE = 5  # ms in which the window answers the person


def in_pauses(
    parts: Iterator[None], done: Callable[[], None], failed: Callable[[Exception], None]
) -> None:
    """Go through `parts`, one a pause; at once where no event loop runs, as in a script.

    Parameters
    ----------
    parts
        Does a part of the work each time.
    done, failed
        Called at the end, or with the error that ended it.
    """
    thread = QThread.currentThread()
    if thread is None or thread.loopLevel() == 0:
        _all(parts, done, failed)
        return

    def go_on() -> None:
        try:
            next(parts)
        except StopIteration:
            done()
        except Exception as error:  # noqa: BLE001 - told by the caller
            failed(error)
        else:
            QTimer.singleShot(_PAUSE, go_on)

    go_on()


def _all(
    parts: Iterator[None], done: Callable[[], None], failed: Callable[[Exception], None]
) -> None:
    try:
        for _ in parts:
            pass
    except Exception as error:  # noqa: BLE001 - told by the caller
        failed(error)
        return
    done()
