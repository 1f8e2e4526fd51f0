"""The buyer's clock: since when he waits for an answer, read from what is archived (H37).

Of a queued conversation the queue's own column says when its place counts from; nothing is written
to a conversation's row per message. Reads the archive's table and changes nothing.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.clock import Clock

FIRST_UNANSWERED: Final = """
    left join lateral (
        select a.generation, a.log_offset, a.type from messages a
        where a.conversation_id = i.id and a.sender_kind is distinct from 'buyer'
          and (
            a.type = 'conversation.closed.v1' and a.body::json ->> 'sweep' is distinct from 'idle'
            or a.sender_kind = 'agent' and not a.late and not exists (
                select from messages s
                where s.conversation_id = i.id and s.sender_kind is distinct from 'buyer'
                  and (s.generation, s.log_offset) < (a.generation, a.log_offset)
                  and s.type in ('conversation.assigned.v1', 'conversation.transferred.v1',
                                 'conversation.queued.v1', 'conversation.closed.v1')
                  and (s.body::json ->> 'version')::integer
                    > (a.body::json ->> 'assignment_version')::integer
            )
          )
        order by a.generation desc, a.log_offset desc limit 1
    ) ended on true
    left join lateral (
        select case when w.type = 'conversation.contacted.v1'
            then (w.body::json ->> 'received_at')::timestamptz else w.time end as since,
            w.generation, w.log_offset
        from messages w
        where w.conversation_id = i.id
          and w.sender_kind = 'buyer' and not w.late
          and (w.generation, w.log_offset)
            > (coalesce(ended.generation, 0), coalesce(ended.log_offset, -1))
        order by w.generation, w.log_offset limit 1
    ) word on true
"""
"""Joins to each `i.id` the first word of the buyer behind the last answer: `word.since`, or null.

`ended` is what ended his wait before.

A close ends his wait like an answer, but for one as idle, which ends nobody's: a word that stands
before it was not archived yet when the sweep closed (H36). One before a close as abandoned is told
as a contact behind it. What an agent wrote from a seat that he had lost by then is no answer:
somebody else owes it still (H8, H33). A buyer's word into an older conversation is late there, and
counts where it is told as a contact (H30).

That nothing of the buyer's ends his wait is said in the words of the index `ix_messages_answers`,
which holds the others alone: whoever writes thousands of words costs no more than with one.
"""

_WAITING: Final = text(
    f"select i.id, word.since from unnest(cast(:ids as uuid[])) as i (id) {FIRST_UNANSWERED}"
    " where word.since is not null"
)


async def waiting_since(session: AsyncSession, ids: Collection[str]) -> dict[str, datetime]:
    """Return of these conversations those whose buyer waits, each with his first unanswered word.

    One look into an index for each. The archive may be behind: then he is missing, or it is the
    first word that is there.
    """
    if not ids:
        return {}
    rows = await session.execute(_WAITING, {"ids": list(ids)})
    return {str(row.id): row.since for row in rows}


_CLOCKS: Final = text(
    f"""
    select i.id, word.since, word.generation, word.log_offset, seat.version,
        coalesce(ended.type = 'chat.message.v1' and not exists (
            select from messages r
            where r.conversation_id = i.id and r.sender_kind is distinct from 'buyer'
              and r.type = 'conversation.reopened.v1'
              and (r.generation, r.log_offset) > (ended.generation, ended.log_offset)
        ), false) as replied
    from unnest(cast(:ids as uuid[])) as i (id) {FIRST_UNANSWERED}
    left join lateral (
        select (s.body::json ->> 'version')::integer as version from messages s
        where s.conversation_id = i.id and s.sender_kind is distinct from 'buyer'
          and s.type in ('conversation.assigned.v1', 'conversation.transferred.v1',
                         'conversation.queued.v1', 'conversation.closed.v1')
        order by s.generation desc, s.log_offset desc limit 1
    ) seat on true
    """
)


async def clocks(session: AsyncSession, ids: Collection[str]) -> dict[str, Clock]:
    """Return the clock of each of these conversations, as far as it is archived.

    What `contracts.clock.step` makes of the same records: one table of cases holds for both.
    """
    if not ids:
        return {}
    return {
        str(row.id): Clock(
            waiting_since=row.since,
            position=None if row.since is None else (row.generation, row.log_offset),
            first=not row.replied,
            seat=row.version or 0,
        )
        for row in await session.execute(_CLOCKS, {"ids": list(ids)})
    }
