"""The life of a service: start its roles and listeners, watch them, drain and stop them in order.

Owns the signals and the exit code of the process.
"""

import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import Final, NoReturn

import structlog
import uvloop

from kit.process.app import Addresses, App, Gate, Resource, Role
from kit.process.files import make_room
from kit.process.life import Life, StartFailed
from kit.settings import SettingsRefused
from kit.telemetry import configure_logging
from kit.web.server import PortTaken

__all__ = [
    "Addresses",
    "App",
    "Gate",
    "Resource",
    "Role",
    "RoleDied",
    "StartFailed",
    "make_room",
    "run",
    "running",
]

EXIT_LIMIT_S: Final = 20
"""Seconds from the signal to the end. A process that still lives then is ended the hard way."""

GC_THRESHOLDS: Final = (10_000, 20, 20)
"""Of the collector's generations; by default the youngest is looked through every 700 objects, of
which a busy gateway makes tens of thousands a second."""


class RoleDied(Exception):
    """A role ended though nobody asked it to."""


def run(build: Callable[[], App]) -> NoReturn:
    """Run a service until SIGTERM or SIGINT and exit the process.

    `build` is called inside the event loop. Exit codes: 0 stopped as asked, 1 failed, 2 settings
    refused. A second signal ends the process at once.
    """
    try:
        code = uvloop.run(_main(build))
    except SettingsRefused as refusal:
        print(f"peakdesk: {refusal}", file=sys.stderr)  # noqa: T201 - logging is not set up yet
        code = 2
    sys.exit(code)


@contextlib.asynccontextmanager
async def running(app: App) -> AsyncIterator[Addresses]:
    """Run a service inside a test, on the ports of its settings (0 takes free ones).

    Several services run side by side in one process. Raises `RoleDied` at the end if one died.
    """
    life = Life(app)
    addresses = await life.start()
    try:
        yield addresses
    finally:
        await life.stop()
    if life.failure is not None:
        raise RoleDied(life.failure)


async def _main(build: Callable[[], App]) -> int:
    app = build()
    configure_logging(app.settings)
    log = structlog.get_logger("kit.process").bind(service=app.name)
    life = Life(app)
    _own_signals(life)
    try:
        addresses = await _started(life)
    except (StartFailed, PortTaken) as failure:
        log.error("service.not_started", reason=str(failure))  # noqa: TRY400 - the text says it all
        return 1
    if addresses is not None:
        _settle_memory()
        log.info("service.started", http=addresses.http, admin=addresses.admin)
        await life.over.wait()
        _bound_the_exit()
        await life.stop()
    if life.failure is not None:
        log.error("service.failed", reason=life.failure)
        return 1
    log.info("service.stopped")
    return 0


async def _started(life: Life) -> Addresses | None:
    """Start; None if it was over before that: a gate may wait for long, and nobody for it."""
    starting = asyncio.create_task(life.start())
    over = asyncio.create_task(life.over.wait())
    await asyncio.wait({starting, over}, return_when=asyncio.FIRST_COMPLETED)
    over.cancel()
    if starting.done():
        return starting.result()
    _bound_the_exit()
    if not life.stopping:  # one that failed is being undone as it is
        starting.cancel()  # and it undoes what it did
    await asyncio.wait({starting})
    return None if starting.cancelled() else starting.result()


def _settle_memory() -> None:
    """Keep the garbage collector away from what stays: modules, the lexicon's automata, the app.

    A full collection of the gateway's modules and lexicon took 120 ms, in which it serves nobody.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _own_signals(life: Life) -> None:
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if life.over.is_set():
            os._exit(130)
        life.over.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)


def _bound_the_exit() -> None:
    """End the process for certain: a thread, because a blocked event loop runs no timer."""
    backstop = threading.Timer(EXIT_LIMIT_S, os._exit, (1,))
    backstop.daemon = True
    backstop.start()
