"""Waits and offers: added, found, ended. Knows no rule."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId, PersonId, ShopId
from services.conversation.conversations.clock import FIRST_UNANSWERED
from services.conversation.handoffs.domain import (
    ACCEPTED_WINDOW,
    BACK_AFTER,
    OWN_WAIT,
    PERSON_OFFERS,
    PERSON_WINDOW,
    LongWait,
    Offer,
    OfferState,
    Tried,
)
from services.conversation.handoffs.models import LongWaitRow, OfferRow
from services.conversation.tables import fields, table_of

_WAITS: Final = table_of(LongWaitRow)
_OFFERS: Final = table_of(OfferRow)
_OPEN: Final = text("state = 'open'")
_STANDS: Final = text("is_open")

_SHOPS: Final = text(
    "select shop_id from handoff_waits where is_open"
    " union select shop_id from offers where state = 'open'"
)

_WANTED: Final = text(
    """
    select w.* from handoff_waits w
    where w.shop_id = :shop and w.is_open and w.breach_at <= :before and not exists (
        select from offers o where o.conversation_id = w.conversation_id and o.state = 'open')
    order by w.breach_at limit :most
    """
)
"""What stands and is offered to nobody at this moment, the nearest limit first."""

_UNFIT: Final = text(
    f"""
    select a.id::text from unnest(cast(:agents as uuid[])) as a (id)
    where exists (select from offers o where o.to_agent_id = a.id and o.state = 'open')
       or (select count(*) from offers o
           where o.to_agent_id = a.id and o.offered_at > :offered_since) >= {PERSON_OFFERS}
       or exists (
           select from conversations i {FIRST_UNANSWERED}
           where i.shop_id = :shop and i.agent_id = a.id and i.state = 'assigned'
             and word.since < :own_before)
    """
)
"""Who of them is asked already, was asked often, or has buyers of his own who wait."""

_TRIED: Final = text(
    """
    select w.id::text,
        (select array_agg(o.to_agent_id::text) from offers o
         where o.conversation_id = w.id and o.waiting_since = w.since) as asked,
        (select count(*) from offers o
         where o.conversation_id = w.id and o.state = 'accepted'
           and o.ended_at > :accepted_since) as accepted,
        (select array_agg(distinct p.id) from messages m
         cross join lateral (values
            (m.body::json ->> 'agent_id'), (m.body::json ->> 'from_agent_id'),
            (m.body::json ->> 'to_agent_id'), (m.body::json ->> 'previous_agent_id')
         ) as p (id)
         where m.conversation_id = w.id and m.sender_kind is distinct from 'buyer'
           and m.type in ('conversation.assigned.v1', 'conversation.transferred.v1',
                          'conversation.queued.v1')
           and m.time > :had_since and p.id is not null) as had
    from unnest(cast(:ids as uuid[]), cast(:sinces as timestamptz[])) as w (id, since)
    """
)


_FORGET: Final = """
    delete from {table} where ctid = any(array(
        select ctid from {table} where {age} < :before order by {age} limit :limit
        for update skip locked
    )) returning 1
"""
_FORGET_OFFERS: Final = text(_FORGET.format(table="offers", age="offered_at"))
_FORGET_WAITS: Final = text(_FORGET.format(table="handoff_waits", age="breach_at"))


async def add_wait(session: AsyncSession, wait: LongWait) -> bool:
    """Keep a wait for which a colleague is looked for; False if it is known."""
    made = upsert(_WAITS).values(fields(wait, _WAITS.columns.keys())).on_conflict_do_nothing()
    return (await session.execute(made.returning(_WAITS.c.shop_id))).scalar() is not None


async def shops(session: AsyncSession) -> list[ShopId]:
    """Return the shops in which somebody is looked for, or asked."""
    return sorted(ShopId(row.shop_id) for row in await session.execute(_SHOPS))


async def wanted(
    session: AsyncSession, shop_id: ShopId, *, before: datetime, limit: int
) -> list[LongWait]:
    """Return waits with a limit until then for which nobody is asked at this moment."""
    asked = {"shop": shop_id, "before": before, "most": limit}
    return [
        LongWait(
            shop_id=ShopId(row.shop_id),
            conversation_id=ConversationId(str(row.conversation_id)),
            from_agent_id=PersonId(str(row.from_agent_id)),
            seat_version=row.seat_version,
            waiting_since=row.waiting_since,
            breach_at=row.breach_at,
        )
        for row in await session.execute(_WANTED, asked)
    ]


async def settle(session: AsyncSession, waits: Sequence[LongWait]) -> None:
    """Look for nobody any more for these waits."""
    for wait in waits:
        found = _WAITS.c.conversation_id == wait.conversation_id
        await session.execute(
            update(_WAITS)
            .where(found, _WAITS.c.waiting_since == wait.waiting_since, _STANDS)
            .values(is_open=False)
        )


async def add_offers(session: AsyncSession, made: Sequence[Offer]) -> None:
    """Insert offers, in one round trip."""
    if made:
        columns = _OFFERS.columns.keys()
        await session.execute(insert(_OFFERS), [fields(one, columns) for one in made])


async def find(session: AsyncSession, offer_id: str, conversation_id: str) -> Offer | None:
    """Return an offer of a conversation; whoever changes it has the shop's turn."""
    found = select(_OFFERS).where(
        _OFFERS.c.id == offer_id, _OFFERS.c.conversation_id == conversation_id
    )
    row = (await session.execute(found)).one_or_none()
    return None if row is None else _offer(row)


async def standing(session: AsyncSession, shop_id: ShopId) -> list[Offer]:
    """Return the shop's open offers."""
    found = select(_OFFERS).where(_OFFERS.c.shop_id == shop_id, _OPEN).order_by(_OFFERS.c.id)
    return [_offer(row) for row in await session.execute(found)]


async def of_person(session: AsyncSession, person: PersonId) -> list[Offer]:
    """Return what somebody is asked at this moment."""
    found = select(_OFFERS).where(_OFFERS.c.to_agent_id == person, _OPEN)
    return [_offer(row) for row in await session.execute(found)]


async def end(session: AsyncSession, offer_id: str, state: OfferState, *, at: datetime) -> None:
    """Keep what became of an open offer."""
    change = update(_OFFERS).where(_OFFERS.c.id == offer_id, _OPEN)
    await session.execute(change.values(state=state, ended_at=at))


async def unfit(
    session: AsyncSession, shop_id: ShopId, agents: Sequence[PersonId], *, now: datetime
) -> set[PersonId]:
    """Return who of these is not to be asked, with however much room."""
    asked = {
        "shop": shop_id,
        "agents": list(agents),
        "offered_since": now - PERSON_WINDOW,
        "own_before": now - OWN_WAIT,
    }
    return {PersonId(row.id) for row in await session.execute(_UNFIT, asked)}


async def tried(
    session: AsyncSession, waits: Collection[LongWait], *, now: datetime
) -> Mapping[ConversationId, Tried]:
    """Return of each of these waits what was done for it so far."""
    asked = {
        "ids": [wait.conversation_id for wait in waits],
        "sinces": [wait.waiting_since for wait in waits],
        "accepted_since": now - ACCEPTED_WINDOW,
        "had_since": now - BACK_AFTER,
    }
    return {
        ConversationId(row.id): Tried(_people(row.asked), row.accepted, _people(row.had))
        for row in await session.execute(_TRIED, asked)
    }


async def forget(session: AsyncSession, before: datetime, *, limit: int) -> int:
    """Delete at most `limit` offers, and as many waits, from before a moment; return how many."""
    gone = 0
    for statement in (_FORGET_OFFERS, _FORGET_WAITS):
        rows = await session.execute(statement, {"before": before, "limit": limit})
        gone += len(rows.all())
    return gone


def _people(ids: Sequence[str] | None) -> frozenset[PersonId]:
    return frozenset(map(PersonId, ids or ()))


def _offer(row: Row[Any]) -> Offer:
    return Offer(
        shop_id=ShopId(row.shop_id),
        conversation_id=ConversationId(row.conversation_id),
        from_agent_id=PersonId(row.from_agent_id),
        seat_version=row.seat_version,
        waiting_since=row.waiting_since,
        breach_at=row.breach_at,
        id=row.id,
        to_agent_id=PersonId(row.to_agent_id),
        offered_at=row.offered_at,
        expires_at=row.expires_at,
        state=OfferState(row.state),
    )
