"""One socket's hold on one stream: who waits for it, and whether anybody still does (H40).

Knows its session; must not know what a stream carries.
"""

from typing import TYPE_CHECKING

from contracts.people import ShopId

if TYPE_CHECKING:
    from services.gateway.hub.session import Session


class Abandoned(Exception):
    """The subscription is over, or its socket is: whoever works for it stops."""


class Subscription:
    """From `sub` to `unsub`, or until the socket leaves. `left` tells that it is over.

    `owed` holds the ids of `sub` frames that a join under way will answer; None among them stands
    for a stream that `hello` named. Whoever answers takes them, so each is answered once.
    """

    __slots__ = ("left", "owed", "session")

    def __init__(self, session: "Session") -> None:
        self.session = session
        self.owed: tuple[str | None, ...] = ()
        self.left = False

    @property
    def wanted(self) -> bool:
        """Tell whether anybody waits for what this subscription brings."""
        return not (self.left or self.session.closing)

    def check(self) -> None:
        """Raise `Abandoned` if nobody waits any more."""
        if not self.wanted:
            raise Abandoned

    def take_owed(self) -> tuple[str | None, ...]:
        """Return the ids that are owed an answer; the caller answers them now."""
        owed, self.owed = self.owed, ()
        return owed


class InboxSubscription(Subscription):
    """A person's inbox on one socket.

    `held` keeps events while a snapshot is fetched; None when none is, or when too many came.
    `live` is set by the first snapshot.
    """

    __slots__ = ("held", "live")

    def __init__(self, session: "Session") -> None:
        super().__init__(session)
        self.held: list[bytes] | None = None
        self.live = False


class BoardSubscription(Subscription):
    """A shop's board and alerts on one socket; `live` is set by the first snapshot."""

    __slots__ = ("live", "shop")

    def __init__(self, session: "Session", shop: ShopId) -> None:
        super().__init__(session)
        self.shop = shop
        self.live = False
