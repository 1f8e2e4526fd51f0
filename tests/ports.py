"""Ports for programs that a test starts by number, kept from everybody else until they listen."""

import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Self


class HeldPorts:
    """Loopback ports that nobody but who is told their numbers gets.

    A number that was merely free a moment ago goes to the next connection on the machine: a program
    takes seconds to start. So a socket stays bound to each port without listening. The system hands
    such a port out to nobody, while a server that sets `SO_REUSEADDR`, as all do, may listen on it.
    """

    def __init__(self, count: int) -> None:
        self._held = [_held() for _ in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def numbers(self) -> Sequence[int]:
        """The ports."""
        return [int(one.getsockname()[1]) for one in self._held]

    def close(self) -> None:
        """Let go of them."""
        for one in self._held:
            one.close()


def _held() -> socket.socket:
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder
