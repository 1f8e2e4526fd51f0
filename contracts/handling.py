"""What a consumer is, to whoever writes one: it is given an event, never a record.

Knows how a record becomes an event; must not know loops or groups.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from contracts.base import Event, Readable, UnknownEvent, UnreadableEvent, decode
from kit.errors import Dead, PassedOver

HandleRecord: TypeAlias = Callable[[Readable], Awaitable[None]]


class Handler(Protocol):
    """Takes one event. Its docstring says how it survives a repeat."""

    async def __call__(self, event: Event) -> None:
        """Apply the event, or pass over one of no concern."""


def decoded(handler: Handler) -> HandleRecord:
    """Return what a loop calls with records.

    It raises `PassedOver` for a type that this release does not know, before anything is decoded,
    and `Dead` for what cannot be read.
    """

    async def handle(record: Readable) -> None:
        try:
            event = decode(record)
        except UnknownEvent as unknown:
            raise PassedOver(str(unknown)) from None
        except UnreadableEvent as unreadable:
            raise Dead(str(unreadable)) from None
        await handler(event)

    return handle
