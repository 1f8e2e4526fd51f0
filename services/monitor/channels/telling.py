"""Puts notices on their way to a shop's channels, in the transaction of what they tell of (N41).

Must not know how they get there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId
from kit.ids import Ids
from services.monitor.channels import repository
from services.monitor.channels.domain import PENDING_MOST, DeliveryState, Notice
from services.monitor.channels.repository import Listener, Posted


@dataclass(frozen=True, slots=True)
class Addressed:
    """A notice and the channels that it is for; none named: all that take its level."""

    notice: Notice
    channels: Sequence[str] = ()

    def for_(self, listener: Listener) -> bool:
        """Tell whether a channel is told. One that is named takes every level."""
        if self.channels:
            return listener.id in self.channels
        return self.notice.level in listener.levels


async def tell(
    session: AsyncSession,
    shop_id: ShopId,
    notices: Iterable[Addressed],
    *,
    ids: Ids,
    now_ms: int,
) -> int:
    """Store a delivery per notice and channel; return how many.

    Beyond `PENDING_MOST` of a shop that wait, what comes is counted in the next digest at once.
    """
    listeners = await repository.listeners(session, shop_id)
    posted = [
        Posted(ids.new(), listener.id, one.notice)
        for one in notices
        for listener in listeners
        if one.for_(listener)
    ]
    if not posted:
        return 0
    room = max(0, PENDING_MOST - await repository.pending(session, shop_id))
    for state, some in (
        (DeliveryState.PENDING, posted[:room]),
        (DeliveryState.MERGED, posted[room:]),
    ):
        await repository.add(session, shop_id, some, state=state, now_ms=now_ms)
    return len(posted)
