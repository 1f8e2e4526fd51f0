"""How the tokens of single sessions are withdrawn, in the caller's transaction."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.conversation import SessionEnded, session_key
from contracts.people import PersonId, ShopId
from contracts.topics import DIRECTORY
from kit import outbox
from kit.outbox import Tombstone
from kit.web.tokens import LEEWAY_S, LIFETIME_LIMIT_S
from services.conversation.domain import Stamp
from services.conversation.tokens import repository
from services.conversation.tokens.repository import EndedSession

STILL_OUT: Final = timedelta(seconds=LIFETIME_LIMIT_S + LEEWAY_S)
"""So long after it was made a token may still be good."""


async def end_session(session: AsyncSession, ended: EndedSession, stamp: Stamp) -> None:
    """End one session of a person, who is locked by the caller (H13)."""
    await repository.forget_family(session, ended.sid)
    await _tell(session, [ended], stamp)


async def end_other_sessions(
    session: AsyncSession, subject: PersonId, shop_id: ShopId, *, but: str | None, stamp: Stamp
) -> None:
    """End all sessions but one of a person, who is locked by the caller.

    The directory is told of those whose last token may still be good.
    """
    found = await repository.sessions_of(session, subject, now=stamp.at)
    others = [one for one in found if one.sid != but]
    await repository.forget_subject(session, subject, but=but)
    ended = [
        EndedSession(one.sid, subject, shop_id, stamp.at)
        for one in others
        if one.used_at is None or one.used_at > stamp.at - STILL_OUT
    ]
    await _tell(session, ended, stamp)


def listed_session(ended: EndedSession, stamp: Stamp) -> SessionEnded:
    """Return the directory's entry of a session that was ended."""
    return SessionEnded(
        id=stamp.ids.new(),
        time=stamp.at,
        shop_id=ended.shop_id,
        sid=ended.sid,
        subject=ended.subject,
        ended_at=ended.ended_at,
    )


async def forget_ended(
    session: AsyncSession, stamp: Stamp, *, limit: int
) -> Collection[EndedSession]:
    """Take at most `limit` sessions off the directory whose last token is over; return them."""
    over = await repository.forget_ended(session, stamp.at - STILL_OUT, limit=limit)
    await outbox.add(
        session,
        *(
            Tombstone(
                stamp.ids.new(),
                time=stamp.at,
                topic_name=DIRECTORY.name,
                key=session_key(one.sid),
                shop_id=one.shop_id,
            )
            for one in over
        ),
    )
    return over


async def _tell(session: AsyncSession, ended: Collection[EndedSession], stamp: Stamp) -> None:
    if not ended:
        return
    await repository.keep_ended(session, *ended)
    await outbox.add(session, *(listed_session(one, stamp) for one in ended))
