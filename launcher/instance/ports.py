"""Which port of an instance is whose, and whether it is free. Knows numbers and sockets only."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from launcher.errors import LaunchError

FIRST_BASE: Final = 7300
"""Below the range that Linux and macOS hand out to clients, so no passing connection sits on it."""
BLOCK: Final = 50
LAST_BASE: Final = 9300

_SERVICES: Final = ("gateway", "conversation", "orders", "aftersales", "monitor")
_ADMIN, _KAFKA, _CONTROLLER, _POSTGRES = 10, 20, 30, 40


@dataclass(frozen=True)
class Ports:
    """A block of 50 loopback ports that starts at `base`; the gateway has the first."""

    base: int

    def service(self, name: str) -> int:
        return self.base + _SERVICES.index(name)

    def admin(self, name: str) -> int:
        return self.base + _ADMIN + _SERVICES.index(name)

    def kafka(self, broker: int = 0) -> int:
        return self.base + _KAFKA + broker

    def controller(self, broker: int = 0) -> int:
        return self.base + _CONTROLLER + broker

    @property
    def postgres(self) -> int:
        return self.base + _POSTGRES

    def all(self, brokers: int) -> list[int]:
        named = [self.service(n) for n in _SERVICES] + [self.admin(n) for n in _SERVICES]
        kafka = [p(n) for p in (self.kafka, self.controller) for n in range(brokers)]
        return [*named, *kafka, self.postgres]


Reserved = Mapping[int, str]
"""Names of instances by the base of their block: they may not run now and will want it again."""


def choose(brokers: int, *, reserved: Reserved | None = None) -> Ports:
    """Return the first block without a port in use. Raises LaunchError if there is none."""
    for base in range(FIRST_BASE, LAST_BASE, BLOCK):
        if obstacle(Ports(base), brokers, reserved or {}) is None:
            return Ports(base)
    raise LaunchError(
        f"No block of free ports between {FIRST_BASE} and {LAST_BASE}: name one with --base-port."
    )


def obstacle(chosen: Ports, brokers: int, reserved: Reserved) -> str | None:
    """Return in words why a block cannot be had, None if it can."""
    if (owner := owner_of(chosen, reserved)) is not None:
        return f"the instance {owner} has ports of that block"
    taken = next((port for port in chosen.all(brokers) if not is_free(port)), None)
    return None if taken is None else f"port {taken} is taken by another program"


def owner_of(chosen: Ports, reserved: Reserved) -> str | None:
    """Return the name of the instance whose block overlaps `chosen`, None if none does."""
    near = (name for base, name in reserved.items() if abs(base - chosen.base) < BLOCK)
    return next(near, None)


def is_free(port: int) -> bool:
    """Return whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def is_open(port: int) -> bool:
    """Return whether somebody accepts connections on 127.0.0.1:`port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def require_free(port: int, whose: str) -> None:
    """Raise LaunchError if `port`, meant for `whose`, is taken."""
    if not is_free(port):
        raise LaunchError(
            f"Port {port}, which {whose} needs, is taken by another program: end that program, "
            "or move this instance with --base-port."
        )
