"""What an attack costs: CPU time of the services, which a busy machine makes no longer."""

from collections.abc import Awaitable, Callable
from typing import Final

from tests.platform import Platform

TRIES: Final = 6
"""Others use the services meanwhile: what costs little does so in one of these, what costs much in
none."""


async def costs_less(
    limit_s: float, attack: Callable[[], Awaitable[None]], platform: Platform, *services: str
) -> bool:
    """Play an attack until the services spent less than `limit_s` on it; False if they never do."""
    for _ in range(TRIES):
        before = _spent_s(platform, services)
        await attack()
        if _spent_s(platform, services) - before < limit_s:
            return True
    return False


def _spent_s(platform: Platform, services: tuple[str, ...]) -> float:
    used = [platform.process(name).cpu_times() for name in services]
    return sum(one.user + one.system for one in used)
