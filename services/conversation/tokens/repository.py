"""Refresh tokens by their hash: stored, spent, withdrawn; and the sessions that they are of.

Knows no rule and makes no hash.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, select, true, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, ShopId
from services.conversation.tables import fields, table_of
from services.conversation.tokens.models import EndedSessionRow, RefreshTokenRow

_REFRESH_TOKENS: Final = table_of(RefreshTokenRow)
_ENDED: Final = table_of(EndedSessionRow)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as it is stored: by its hash. Tokens of one login form a family.

    `created_at` None: it was stored before that was kept. `parent`: the hash of the token that was
    spent for this one; None for the first of a login, and where a release before stored it.
    `dropped_at`: since when another, spent for the same, goes on in its place.
    `opened_at` and `client` are the family's: when it began, and in what, as that called itself.
    """

    hash: bytes
    family: str
    subject: PersonId
    kind: str
    expires_at: datetime
    created_at: datetime | None
    used_at: datetime | None = None
    parent: bytes | None = None
    dropped_at: datetime | None = None
    opened_at: datetime | None = None
    client: str | None = None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that can be renewed: a family. `used_at` is when its newest token was made.

    Moments are None where a release before stored them not.
    """

    sid: str
    opened_at: datetime | None
    used_at: datetime | None
    client: str | None


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that was ended, and whose it was."""

    sid: str
    subject: PersonId
    shop_id: ShopId
    ended_at: datetime


async def add_refresh(session: AsyncSession, token: RefreshToken) -> None:
    """Store a refresh token."""
    values = fields(token, _REFRESH_TOKENS.columns.keys())
    await session.execute(insert(_REFRESH_TOKENS).values(values))


async def find_refresh(
    session: AsyncSession, token_hash: bytes, *, lock: bool = False
) -> RefreshToken | None:
    """Return a refresh token, locked until the transaction ends if asked: the person first."""
    wanted = select(_REFRESH_TOKENS).where(_REFRESH_TOKENS.c.hash == token_hash)
    row = (await session.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
    return None if row is None else _token(row)


async def heirs_of(session: AsyncSession, token_hash: bytes) -> Sequence[RefreshToken]:
    """Return the tokens that this one was spent for."""
    wanted = select(_REFRESH_TOKENS).where(_REFRESH_TOKENS.c.parent == token_hash)
    return [_token(row) for row in await session.execute(wanted)]


async def use_refresh(session: AsyncSession, token_hash: bytes, at: datetime) -> None:
    """Mark a refresh token as spent."""
    changed = update(_REFRESH_TOKENS).where(_REFRESH_TOKENS.c.hash == token_hash)
    await session.execute(changed.values(used_at=at))


async def drop_heirs(
    session: AsyncSession, token_hash: bytes, at: datetime, *, but: bytes | None = None
) -> None:
    """Let none of the tokens that this one was spent for go on any more, or only one."""
    heirs = update(_REFRESH_TOKENS).where(
        _REFRESH_TOKENS.c.parent == token_hash,
        _REFRESH_TOKENS.c.hash != but if but is not None else true(),
        _REFRESH_TOKENS.c.dropped_at.is_(None),
    )
    await session.execute(heirs.values(dropped_at=at))


async def forget_family(session: AsyncSession, family: str) -> None:
    """End one login: none of its refresh tokens is worth anything any more."""
    await session.execute(delete(_REFRESH_TOKENS).where(_REFRESH_TOKENS.c.family == family))


async def forget_subject(session: AsyncSession, subject: str, *, but: str | None = None) -> None:
    """End every login of a person, or all but one."""
    gone = delete(_REFRESH_TOKENS).where(
        _REFRESH_TOKENS.c.subject == subject,
        _REFRESH_TOKENS.c.family != but if but is not None else true(),
    )
    await session.execute(gone)


async def sessions_of(
    session: AsyncSession, subject: str, *, now: datetime, limit: int | None = None
) -> Sequence[OpenSession]:
    """Return the sessions of a person that can be renewed, the one used last first."""
    token = _REFRESH_TOKENS.c
    newest = (
        select(
            token.family.label("sid"),
            func.coalesce(token.opened_at, token.created_at).label("opened_at"),
            token.created_at.label("used_at"),
            token.client,
        )
        .ext(distinct_on(token.family))
        .where(token.subject == subject, token.expires_at > now)
        .order_by(token.family, token.created_at.desc().nulls_last())
        .subquery()
    )
    wanted = select(newest).order_by(newest.c.used_at.desc().nulls_last(), newest.c.sid)
    found = await session.execute(wanted.limit(limit))
    return [OpenSession(row.sid, row.opened_at, row.used_at, row.client) for row in found]


async def is_session_of(session: AsyncSession, sid: str, subject: str) -> bool:
    """Tell whether a session is this person's and refresh tokens of it are kept."""
    wanted = select(_REFRESH_TOKENS.c.hash).where(
        _REFRESH_TOKENS.c.family == sid, _REFRESH_TOKENS.c.subject == subject
    )
    return (await session.execute(wanted.limit(1))).one_or_none() is not None


async def keep_ended(session: AsyncSession, *ended: EndedSession) -> None:
    """Keep that sessions were ended; of one that was already, the first time stays."""
    rows = [fields(one, _ENDED.columns.keys()) for one in ended]
    await session.execute(upsert(_ENDED).values(rows).on_conflict_do_nothing())


async def was_ended(session: AsyncSession, sid: str, subject: str) -> bool:
    """Tell whether a session of this person was ended a short while ago."""
    wanted = select(_ENDED.c.sid).where(_ENDED.c.sid == sid, _ENDED.c.subject == subject)
    return (await session.execute(wanted)).one_or_none() is not None


async def ended_since(session: AsyncSession, since: datetime) -> Sequence[EndedSession]:
    """Return the sessions that were ended since then, locked."""
    wanted = select(_ENDED).where(_ENDED.c.ended_at > since).with_for_update()
    return [_ended(row) for row in await session.execute(wanted)]


async def forget_ended(
    session: AsyncSession, before: datetime, *, limit: int
) -> Sequence[EndedSession]:
    """Delete at most `limit` sessions that were ended before that moment, and return them."""
    old = select(_ENDED.c.sid).where(_ENDED.c.ended_at < before).limit(limit)
    free = old.with_for_update(skip_locked=True)
    gone = delete(_ENDED).where(_ENDED.c.sid.in_(free)).returning(*_ENDED.c)
    return [_ended(row) for row in await session.execute(gone)]


async def forget_expired(session: AsyncSession, now: datetime, *, limit: int) -> int:
    """Delete at most `limit` refresh tokens that are over; return how many."""
    over = select(_REFRESH_TOKENS.c.hash).where(_REFRESH_TOKENS.c.expires_at < now).limit(limit)
    # Passed over: what a session under way holds, which may wait for another of these.
    free = over.with_for_update(skip_locked=True)
    gone = delete(_REFRESH_TOKENS).where(_REFRESH_TOKENS.c.hash.in_(free))
    return len((await session.execute(gone.returning(_REFRESH_TOKENS.c.hash))).all())


def _ended(row: Row[Any]) -> EndedSession:
    return EndedSession(row.sid, PersonId(row.subject), ShopId(row.shop_id), row.ended_at)


def _token(row: Row[Any]) -> RefreshToken:
    return RefreshToken(
        hash=row.hash,
        family=row.family,
        subject=PersonId(row.subject),
        kind=row.kind,
        expires_at=row.expires_at,
        created_at=row.created_at,
        used_at=row.used_at,
        parent=row.parent,
        dropped_at=row.dropped_at,
        opened_at=row.opened_at,
        client=row.client,
    )
