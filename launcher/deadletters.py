"""What consumers set aside: counts, places and reasons, read from the dead-letter topics.

Knows no handler; a replay is the owning service's own command.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from contracts.topics import GROUPS
from kit.bus import deadletter
from kit.bus.deadletter import DeadLetter
from kit.bus.kafka import KafkaBus
from kit.bus.ports import BusAway
from launcher import services
from launcher.errors import LaunchError
from launcher.instance.instance import Instance
from launcher.instance.typed import typed

READ_TIMEOUT_S: Final = 60

PAGE: Final = 50
"""Letters shown at once unless asked otherwise."""


def read(known: Instance, groups: Sequence[str] = GROUPS) -> dict[str, list[DeadLetter]]:
    """Return the dead letters of each group that were not replayed, oldest first."""
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        raise LaunchError(f"There is no group {unknown[0]}. There are: {', '.join(GROUPS)}.")
    try:
        return asyncio.run(_read(known, groups))
    except (BusAway, TimeoutError) as error:
        raise LaunchError(
            f"Kafka at {known.bootstrap_servers} does not answer: start it with "
            f"`{typed('up', known.folder)}`."
        ) from error


def page(
    found: Mapping[str, Sequence[DeadLetter]], *, skip: int, limit: int
) -> dict[str, list[DeadLetter]]:
    """Return at most `limit` letters after the first `skip`, by group as they were."""
    every = [(group, letter) for group, letters in found.items() for letter in letters]
    shown: dict[str, list[DeadLetter]] = {}
    for group, letter in every[skip : skip + limit]:
        shown.setdefault(group, []).append(letter)
    return shown


def rest_of(found: Mapping[str, Sequence[DeadLetter]], *, skip: int, limit: int) -> str | None:
    """Say how many letters there are and how to see more; None if the page holds the last one."""
    total = sum(map(len, found.values()))
    if skip + limit >= total:
        return None
    return f"{total} dead letters; the next ones: --skip {skip + limit}"


def replay(known: Instance, group: str) -> int:
    """Hand a group's dead letters to its handler once more; return the command's exit code."""
    return services.run_task(known, group.partition(".")[0], ["replay", group])


async def _read(known: Instance, groups: Sequence[str]) -> dict[str, list[DeadLetter]]:
    bus = KafkaBus(known.bootstrap_servers, client_id="peakdesk-launcher")
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            return {group: await deadletter.letters(bus, group) for group in groups}
    finally:
        await bus.close()
