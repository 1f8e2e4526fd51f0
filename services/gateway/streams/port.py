"""What every kind of stream is: a socket subscribes and leaves, and what happens is delivered.

Knows the kinds' common words; must not know a kind. That a socket is gone is the hub's business:
it ends subscriptions of every kind alike, and tells the kind by `leave`.
"""

from collections.abc import Set as AbstractSet
from typing import NamedTuple, Protocol, TypeVar

from contracts.base import Event
from contracts.people import PersonId, WorkId
from services.gateway.hub import Session, Subscription

Name_contra = TypeVar("Name_contra", contravariant=True)
Told_contra = TypeVar("Told_contra", contravariant=True)


class Stream(Protocol[Name_contra, Told_contra]):
    """One kind of stream: how one of them is named, and what is delivered to them."""

    def subscribe(
        self, session: Session, name: Name_contra, *, frame_id: str | None, position: object
    ) -> None:
        """Begin to join; the id is answered once."""

    def unsubscribe(self, session: Session, name: Name_contra) -> None:
        """Leave; to leave what was not joined is no mistake."""

    def leave(self, subscription: Subscription) -> None:
        """Forget a subscription of this kind that is over."""

    def deliver(self, told: Told_contra) -> None:
        """Bring it to every socket that watches."""


class News(NamedTuple):
    """What concerns people's inboxes: the bodies of an `ev`, as staff and as buyers see it."""

    people: AbstractSet[PersonId | None]
    staff: bytes
    buyer: bytes


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
