"""Ending aiokafka's background tasks for certain: while a broker is away it swallows cancellations.

Knows aiokafka's insides; the version is pinned, and the fault tests would notice a change.
"""

import asyncio
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

ATTEMPTS: Final = 10
WAIT_S: Final = 0.1

CLOSE_S: Final = 1.0
"""Longest wait for connections to close; a loop that was held up lets them go late."""

_COORDINATING: Final = (
    "_coordination_task",
    "_heartbeat_task",
    "_commit_refresh_task",
    "_reset_committed_task",
)


@contextmanager
def bootstrapping() -> Iterator[None]:
    """Close the connection that aiokafka's bootstrap forgets when it is cancelled in the midst.

    It is a local of that call alone: no client knows of it, so it stays open until it is collected
    (aiokafka 0.14).
    """
    try:
        yield
    except BaseException as error:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            forgotten = frame.f_locals.get("bootstrap_conn")
            if forgotten is not None:
                forgotten.close()
        raise


async def end_task(task: "asyncio.Task[Any] | None") -> None:
    """Cancel a task until it is over, a second at most."""
    for _ in range(ATTEMPTS):
        if task is None or task.done():
            return
        task.cancel()
        await asyncio.wait([task], timeout=WAIT_S)


async def end_consumer(consumer: Any) -> None:
    """End what a consumer still does whose `stop` was cut short, and close its connections.

    Its heartbeats would look for their group ten times a second for ever (aiokafka 0.14).
    """
    coordinator, fetcher = consumer._coordinator, consumer._fetcher  # noqa: SLF001
    tasks = [getattr(coordinator, name, None) for name in _COORDINATING]
    tasks += [getattr(fetcher, "_fetch_task", None), *getattr(fetcher, "_pending_tasks", ())]
    await asyncio.gather(*map(end_task, tasks))
    await end_client(consumer._client)  # noqa: SLF001


async def end_client(client: Any) -> None:
    """Close a client's connections and its metadata task, also when `close` was cut short before.

    Requests that wait for the next metadata are let go: there will be none.
    """
    refreshing = client._sync_task  # noqa: SLF001 - `close` waits for it without a limit
    await end_task(refreshing)
    client._sync_task = None  # noqa: SLF001
    # A `close` that was cut short cancelled what it waited for, and this one waits for the same:
    # it ends cancelled though nobody asked us to, and would end whoever calls.
    closing = asyncio.ensure_future(client.close())
    await asyncio.wait([closing], timeout=CLOSE_S)
    await end_task(closing)
    await asyncio.gather(closing, return_exceptions=True)
    update = client._md_update_fut  # noqa: SLF001
    if update is not None and not update.done():
        update.set_result(False)
