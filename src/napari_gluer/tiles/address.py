"""Whether a dask scheduler answers at an address, found out in a few seconds."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from napari_gluer.errors import InputError


def refuse_no_scheduler(address: str, seconds: float) -> None:
    """Ask who answers at `address`, before dask's client does.

    The client waits far longer where another program answers, and takes its first bytes for a
    length: of a server that says "SSH-2.0-" it wants more memory than there is.

    Parameters
    ----------
    address
        Of the scheduler, tcp://host:8786 for instance.
    seconds
        How long it may take to answer.

    Raises
    ------
    InputError
        If nothing answers in that time, or something else than a scheduler does.
    """
    try:
        # in a thread: a notebook runs a loop already, beside which no other may run
        with ThreadPoolExecutor(1) as elsewhere:
            kind = elsewhere.submit(asyncio.run, _asked(address, seconds)).result()
    except TimeoutError as error:
        raise InputError(no_scheduler(address, f"no answer in {seconds:g} s")) from error
    except (OSError, ValueError) as error:
        raise InputError(no_scheduler(address, str(error))) from error
    except Exception as error:  # another program's bytes, taken for dask's, can raise anything
        why = "another program does, or dask wants its TLS settings"
        raise InputError(no_scheduler(address, why)) from error
    if kind != "Scheduler":
        raise InputError(no_scheduler(address, f"a dask {str(kind).casefold()} does"))


def no_scheduler(address: str, why: str) -> str:
    """What to say where no scheduler answers."""
    return (
        f"No dask scheduler answers at {address!r} ({why}). Start one with `dask scheduler` and "
        "give the address it prints, tcp://host:8786 for instance."
    )


async def _asked(address: str, seconds: float) -> object:
    return await asyncio.wait_for(_kind(address, seconds), seconds)


async def _kind(address: str, seconds: float) -> object:
    from distributed.comm import connect  # noqa: PLC0415 - an extra
    from distributed.security import Security  # noqa: PLC0415

    known = Security().get_connection_args("client")
    comm = await connect(address, timeout=seconds, **known)
    try:
        await comm.write({"op": "identity", "reply": True})
        return (await comm.read())["type"]
    finally:
        comm.abort()
