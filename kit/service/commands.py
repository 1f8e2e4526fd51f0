"""The command line of a service: run it, replay a group, or what it registered itself.

Knows words and exit codes, never what a command does.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn, TypeVar

from kit.process import run
from kit.service.core import Service
from kit.service.worker import UnknownGroup
from kit.settings import ServiceSettings, SettingsRefused, load
from kit.telemetry import configure_logging

S = TypeVar("S", bound=ServiceSettings)

W = TypeVar("W", bound=Service[Any])

Command = Callable[[S], Awaitable[tuple[str, int]]]
"""Carries out a command; returns what is printed and the exit code."""


class CommandFailed(Exception):
    """The command could not be carried out. The text says why; the exit code is 2."""


def main(
    name: str,
    settings: type[S],
    *,
    build: Callable[[S], Service[S]],
    commands: Mapping[str, Command[S]] | None = None,
) -> NoReturn:
    """Run the service, or the command named by the arguments, and exit."""
    known = commands or {}
    words = sys.argv[1:]
    if not words:
        run(lambda: build(load(settings)).app())
    command = known.get(" ".join(words))
    try:
        if command is not None:
            said, code = asyncio.run(_carried_out(command, load(settings)))
        elif words[0] == "replay" and len(words) == len(("replay", "GROUP")):
            said, code = asyncio.run(_replayed(build, load(settings), words[1]))
        else:
            usage = " | ".join(("replay GROUP", *known))
            raise SystemExit(f"usage: python -m services.{name}.app [{usage}]")
    except (SettingsRefused, CommandFailed, UnknownGroup) as failed:
        print(f"peakdesk {' '.join(words)}: {failed}", file=sys.stderr)  # noqa: T201 - why not
        raise SystemExit(2) from None
    print(said)  # noqa: T201 - the answer
    raise SystemExit(code)


def on(
    opened: Callable[[S], W], carry_out: Callable[[W], Awaitable[tuple[str, int]]]
) -> Command[S]:
    """Return a command that is given a service which is not started, and is closed after it."""

    async def command(settings: S) -> tuple[str, int]:
        service = opened(settings)
        try:
            return await carry_out(service)
        finally:
            await service.close()

    return command


async def _replayed(build: Callable[[S], Service[S]], settings: S, group: str) -> tuple[str, int]:
    """Say what became of the letters; the exit code is 1 while some fail still."""
    service = build(settings)
    try:
        report = await service.replay(group)
    finally:
        await service.close()
    return str(report), int(report.failed > 0)


async def _carried_out(command: Command[S], settings: S) -> tuple[str, int]:
    configure_logging(settings)
    return await command(settings)
