"""The archive's rows: written by whole batches, read by position. Knows no bus and no rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.heads import preview_of
from contracts.people import ConversationId, MessageId, SenderKind, ShopId
from kit import arrays
from services.conversation.archive.domain import (
    Batch,
    Contact,
    Head,
    Place,
    Told,
)

_INSERT: Final = text(
    """
    with inserted as (
        insert into messages (
            message_id, conversation_id, partition, log_offset, type, time, sender_kind,
            body_hash, body, generation, archived_at
        )
        select *, :generation, :at from unnest(
            cast(cast(:ids as text) as uuid[]), cast(cast(:conversations as text) as uuid[]),
            cast(cast(:partitions as text) as smallint[]),
            cast(cast(:offsets as text) as bigint[]), cast(cast(:types as text) as text[]),
            cast(cast(:times as text) as timestamptz[]), cast(cast(:senders as text) as text[]),
            cast(cast(:hashes as text) as text[]), cast(:bodies as text[])
        )
        on conflict (message_id) do nothing
        returning message_id
    )
    select i.place, n.message_id is not null as is_new, c.shop_id = i.shop_id as is_known,
           c.version < i.version or c.swept = 'restored' as is_ahead, c.state
    from unnest(
        cast(cast(:ids as text) as uuid[]), cast(cast(:conversations as text) as uuid[]),
        cast(cast(:senders as text) as text[]), cast(cast(:shops as text) as text[]),
        cast(cast(:versions as text) as integer[])
    ) with ordinality as i (message_id, conversation_id, sender_kind, shop_id, version, place)
    left join inserted n on n.message_id = i.message_id
    left join conversations c on c.id = i.conversation_id
    left join staff a on a.id = c.agent_id
    where n.message_id is null
       or c.shop_id is distinct from i.shop_id
       or (i.sender_kind is not null and (
            c.state = 'closed' or a.state in ('offline', 'break')
                and c.taken_version is distinct from c.assignment_version
       ))
       or c.version < i.version
    """
)
"""One round trip stores the batch and tells what needs a second look; usually nothing does.

Columns come as texts (`kit.arrays`), bodies do not: they would be escaped, and read letter by
letter. The second `unnest` repeats what is compared: a shared CTE would copy every body once more.
A row of a foreign conversation is inserted too; its second look undoes the whole batch.
"""

_HOLD_BACK: Final = text("lock table marks in share mode")
"""Of the whole table: the first batch ever of a partition has no row yet that could be locked."""

_COLUMNS: Final = tuple(name for name in Batch.__slots__ if name not in {"bodies", "openings"})

_FIRST: Final = text(
    """
    select message_id, body_hash, generation, partition, log_offset from messages
    where message_id = any(cast(:ids as uuid[]))
    """
)

_LIFECYCLE: Final = text(
    """
    select message_id, type, time, body from messages
    where conversation_id = any(cast(:ids as uuid[])) and type like 'conversation.%'
    """
)

_CONFLICT: Final = text(
    """
    insert into id_conflicts
        (generation, partition, log_offset, message_id, body_hash, first_hash, seen_at)
    values (:generation, :partition, :log_offset, :message_id, :body_hash, :first_hash, :at)
    on conflict do nothing
    """
)

_LATE: Final = text("update messages set late = true where message_id = any(cast(:ids as uuid[]))")

_CLOSED: Final = text(
    """
    select distinct on (conversation_id) conversation_id, generation, log_offset, type
    from messages
    where conversation_id = any(cast(:ids as uuid[]))
      and type in ('conversation.closed.v1', 'conversation.reopened.v1')
    order by conversation_id, generation desc, log_offset desc
    """
)

_NOTE_CONTACTS: Final = text(
    """
    insert into contacts (message_id, conversation_id, shop_id, generation, log_offset, tried_at)
    select i.message_id, i.conversation_id, i.shop_id, :generation, i.log_offset,
           cast(:tried_at as timestamptz) from unnest(
        cast(:ids as uuid[]), cast(:conversations as uuid[]), cast(:shops as text[]),
        cast(:offsets as bigint[])
    ) as i (message_id, conversation_id, shop_id, log_offset)
    on conflict do nothing
    """
)

_DUE_CONTACTS: Final = "(tried_at is null or tried_at < :tried_before)"

_SHOPS_CONTACTED: Final = text(
    f"select distinct shop_id from contacts where {_DUE_CONTACTS} order by shop_id limit 1000"
)

_NEXT_CONTACTS: Final = f"""
    select message_id from contacts where shop_id = :shop and {_DUE_CONTACTS}
    order by tried_at nulls first, generation, log_offset, message_id
    limit :limit for update skip locked
"""

_TAKE_CONTACTS: Final = text(
    f"""
    with taken as (
        delete from contacts where message_id = any(array({_NEXT_CONTACTS}))
        returning message_id, conversation_id, generation, log_offset
    )
    select t.*, m.time, m.sender_kind from taken t join messages m on m.message_id = t.message_id
    order by m.time, t.message_id
    """
)

_POSTPONE_CONTACT: Final = text(
    f"update contacts set tried_at = :now where message_id = any(array({_NEXT_CONTACTS}))"
)

_GENERATION: Final = text(
    "select coalesce(max(generation), 1) from generations where topic = :topic"
)

_HEADS: Final = text(
    """
    select i.id, h.* from unnest(cast(:ids as uuid[])) as i (id) cross join lateral (
        select m.generation, m.log_offset, m.time, coalesce(m.sender_kind, 'agent') as sender_kind,
            case when m.type = 'chat.note.v1' then 'note' else m.body::json ->> 'kind' end as kind,
            coalesce(m.body::json -> 'd' ->> 'text', m.body::json ->> 'text') as words
        from messages m
        where m.conversation_id = i.id and (
            m.type = 'chat.message.v1' and m.sender_kind is not null or m.type = 'chat.note.v1'
        )
        order by m.generation desc, m.log_offset desc limit 1
    ) h
    """
)


_WORDED: Final = frozenset({"text", "note"})


@dataclass(frozen=True, slots=True)
class ArchivedRow:
    """A record that was not simply stored, or was stored into a conversation that nobody works.

    `is_ahead`: the conversation's row is of a backup, and the log knows more (H51).
    """

    message_id: str
    conversation_id: str
    partition: int
    offset: int
    sender_kind: str | None
    is_new: bool
    is_known: bool
    is_ahead: bool
    shop_id: str
    state: str | None


@dataclass(frozen=True, slots=True)
class First:
    """Where and with which body a message id stands in the archive."""

    message_id: str
    body_hash: str | None
    place: Place


async def hold_back(session: AsyncSession) -> None:
    """Let nobody store until this transaction ends, when all that is under way has ended.

    Who stores raises his marks first, so that is where he waits; who reads them does not. Taken
    after the shop's turn, before any row, and for a moment: the archive of all shops waits.
    """
    await session.execute(_HOLD_BACK)


async def store(
    session: AsyncSession, batch: Batch, *, generation: int, at: datetime
) -> list[ArchivedRow]:
    """Insert what is new, each message id once (H1), and return what needs a second look.

    The caller raises, and so rolls back, on one that is not `is_known`.
    """
    query: dict[str, object] = {name: arrays.literal(getattr(batch, name)) for name in _COLUMNS}
    query |= {"bodies": batch.bodies, "generation": generation, "at": at}
    return [
        ArchivedRow(
            message_id=batch.ids[place],
            conversation_id=batch.conversations[place],
            partition=batch.partitions[place],
            offset=batch.offsets[place],
            sender_kind=batch.senders[place],
            is_new=row.is_new,
            is_known=bool(row.is_known),
            is_ahead=bool(row.is_ahead),
            shop_id=batch.shops[place],
            state=row.state,
        )
        for row in await session.execute(_INSERT, query)
        for place in (row.place - 1,)
    ]


async def first_of(session: AsyncSession, ids: Sequence[str]) -> dict[str, First]:
    """Return what the archive holds of these message ids."""
    rows = await session.execute(_FIRST, {"ids": list(ids)})
    return {
        str(row.message_id): First(
            str(row.message_id), row.body_hash, (row.generation, row.log_offset)
        )
        for row in rows
    }


async def record_conflicts(session: AsyncSession, rows: Sequence[Mapping[str, object]]) -> None:
    """Keep records whose id was taken by another body (H3)."""
    if rows:
        await session.execute(_CONFLICT, list(rows))


async def mark_late(session: AsyncSession, ids: Sequence[str]) -> None:
    """Mark messages that were written into a closed conversation and reopened none."""
    if ids:
        await session.execute(_LATE, {"ids": list(ids)})


async def closed_at(session: AsyncSession, ids: Sequence[str]) -> dict[str, Place]:
    """Return where in the log these conversations were closed, for those that still are there."""
    if not ids:
        return {}
    rows = await session.execute(_CLOSED, {"ids": list(ids)})
    return {
        str(row.conversation_id): (row.generation, row.log_offset)
        for row in rows
        if row.type == "conversation.closed.v1"
    }


async def note_contacts(
    session: AsyncSession,
    looks: Sequence[ArchivedRow],
    *,
    generation: int,
    tried_at: datetime | None = None,
) -> None:
    """Keep records whose arrival somebody has to act on (H30), as if it was tried at a moment."""
    if looks:
        query = {
            "ids": [look.message_id for look in looks],
            "conversations": [look.conversation_id for look in looks],
            "shops": [look.shop_id for look in looks],
            "offsets": [look.offset for look in looks],
        }
        await session.execute(
            _NOTE_CONTACTS, query | {"generation": generation, "tried_at": tried_at}
        )


async def shops_contacted(session: AsyncSession, *, tried_before: datetime) -> list[ShopId]:
    """Return shops in which somebody has to act on a message; what failed later is left out."""
    rows = await session.execute(_SHOPS_CONTACTED, {"tried_before": tried_before})
    return [ShopId(row.shop_id) for row in rows]


async def take_contacts(
    session: AsyncSession, shop_id: ShopId, *, tried_before: datetime, limit: int
) -> list[Contact]:
    """Delete the shop's next contacts that nobody else has in hand, and return them as said."""
    query = {"shop": shop_id, "tried_before": tried_before, "limit": limit}
    return [
        Contact(
            message_id=MessageId(str(row.message_id)),
            conversation_id=ConversationId(str(row.conversation_id)),
            place=(row.generation, row.log_offset),
            said_at=row.time,
            is_said=row.sender_kind == SenderKind.BUYER,
        )
        for row in await session.execute(_TAKE_CONTACTS, query)
    ]


async def postpone_contact(
    session: AsyncSession, shop_id: ShopId, *, tried_before: datetime, now: datetime
) -> None:
    """Note that acting on the shop's next contact failed; others come first."""
    query = {"shop": shop_id, "tried_before": tried_before, "limit": 1, "now": now}
    await session.execute(_POSTPONE_CONTACT, query)


async def lifecycle_of(
    session: AsyncSession, shop_id: ShopId, conversation_ids: Sequence[str]
) -> list[Told]:
    """Return all that is archived of the lifecycle of a shop's conversations."""
    rows = await session.execute(_LIFECYCLE, {"ids": list(conversation_ids)})
    return [
        Told(
            row.body.encode(),
            (
                ("ce_id", str(row.message_id).encode()),
                ("ce_type", row.type.encode()),
                ("ce_time", row.time.isoformat().encode()),
                ("ce_shop", shop_id.encode()),
            ),
        )
        for row in rows
    ]


async def newest_generation(session: AsyncSession, topic: str) -> int:
    """Return the generation that new positions belong to; 1 before the first record."""
    return int((await session.execute(_GENERATION, {"topic": topic})).scalar_one())


async def heads(
    session: AsyncSession, conversation_ids: Sequence[ConversationId]
) -> dict[ConversationId, Head]:
    """Return the last words of each; where nobody said anything yet there are none."""
    if not conversation_ids:
        return {}
    rows = await session.execute(_HEADS, {"ids": list(conversation_ids)})
    return {
        ConversationId(str(row.id)): Head(
            place=(row.generation, row.log_offset),
            by=SenderKind(row.sender_kind),
            kind=row.kind,
            preview=preview_of(row.words if row.kind in _WORDED else None),
            at=row.time,
        )
        for row in rows
    }
