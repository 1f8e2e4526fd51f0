"""How many connections fit under the process's file limit (H42).

Knows numbers, never connections: a door that knows its room says 503 before accepting fails.
"""

import resource
from typing import Final, NamedTuple

import structlog

OWN_FILES: Final = 256
"""Files and connections of a service's own: broker, database, neighbours, logs. With a limit below
twice that, half of it is left for them."""

_log: Final = structlog.get_logger("kit.process")


class Room(NamedTuple):
    """Connections that fit: upgraded ones, and those of HTTP."""

    sockets: int
    http: int


def make_room(*, sockets: int, http: int) -> Room:
    """Return what fits of so many connections, raising the soft limit as far as that needs.

    Where even the hard limit is too low it is used up, and a line in the log says what fits.
    """
    wanted = sockets + http + OWN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = lifted(wanted, soft=soft, hard=hard)
    if limit != soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    room = shared(limit, sockets=sockets, http=http)
    if room != Room(sockets, http):
        _log.warning(
            "files.limited", limit=limit, wanted=wanted, sockets=room.sockets, http=room.http
        )
    return room


def lifted(wanted: int, *, soft: int, hard: int) -> int:
    """Return the soft limit to set: never lower than it is, never above the hard one."""
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def shared(limit: int, *, sockets: int, http: int) -> Room:
    """Return how connections share a limit: HTTP, which sockets begin as, keeps a quarter of it."""
    if limit == resource.RLIM_INFINITY:
        return Room(sockets, http)
    left = max(limit - OWN_FILES, limit // 2)
    for_http = min(http, max(left - sockets, left // 4))
    return Room(min(sockets, left - for_http), for_http)
