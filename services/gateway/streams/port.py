"""What every kind of stream is: a socket subscribes and leaves, and what happens is delivered.

Knows the kinds' common words; must not know a kind. That a socket is gone is the hub's business:
it ends subscriptions of every kind alike, and tells the kind by `leave`.
"""

from abc import ABC, abstractmethod
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from contracts.base import Event
from contracts.people import PersonId, WorkId
from services.gateway.channels import Hearers
from services.gateway.hub import SocketSession, Subscription

Name = TypeVar("Name")
Told = TypeVar("Told")


class Stream(ABC, Generic[Name, Told]):
    """One kind of stream: how one of them is named, and what is delivered to them."""

    names: ClassVar[type[Any]]
    """The class of its names, one of `frames.names.StreamName`."""

    @abstractmethod
    def subscribe(
        self, socket: SocketSession, name: Name, *, frame_id: str | None, position: object
    ) -> None:
        """Begin to join; the id is answered once."""

    @abstractmethod
    def unsubscribe(self, socket: SocketSession, name: Name) -> None:
        """Leave; to leave what was not joined is no mistake."""

    @abstractmethod
    def leave(self, subscription: Subscription) -> None:
        """Forget a subscription of this kind that is over."""

    @abstractmethod
    def deliver(self, told: Told) -> None:
        """Bring it to every socket that watches."""

    def hears(self) -> Hearers:
        """Return the facts that are delivered here, by their topics."""
        return {}

    async def refill(self, socket: SocketSession) -> None:
        """Make good for what a socket missed while its queue was full (H15)."""


class News(NamedTuple):
    """What concerns people's inboxes: the bodies of an `ev`, as staff and as buyers see it.

    None for buyers: it is not told to them.
    """

    people: AbstractSet[PersonId | None]
    staff: bytes
    buyer: bytes | None


def news_of(
    people: AbstractSet[PersonId | None],
    *,
    event: Event,
    version: int | None = None,
    work_id: WorkId | None = None,
) -> News:
    """Return an event of another topic as news for these people."""
    head = b"" if version is None else b'"version":%d,' % version
    if work_id is not None:
        head += b'"work_id":"%b",' % work_id.encode()
    body = head + event_body(event)
    return News(people, body, body)


def event_body(event: Event) -> bytes:
    """Return the body of an `ev` for an event that was decoded by its contract."""
    headers = dict(event.headers())
    return b'"id":"%b","type":"%b","time":"%b","d":%b' % (
        headers["ce_id"],
        headers["ce_type"],
        headers["ce_time"],
        event.body(),
    )
