"""Refresh tokens by their hash: stored, spent, withdrawn. Knows no rule and makes no hash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId
from services.conversation.tables import fields, table_of
from services.conversation.tokens.models import RefreshTokenRow

_REFRESH_TOKENS: Final = table_of(RefreshTokenRow)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as it is stored: by its hash. Tokens of one login form a family.

    `created_at` None: it was stored before that was kept. `parent`: the hash of the token that was
    spent for this one; None for the first of a login, and where a release before stored it.
    `dropped_at`: since when another, spent for the same, goes on in its place.
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


async def forget_subject(session: AsyncSession, subject: str) -> None:
    """End every login of a person."""
    await session.execute(delete(_REFRESH_TOKENS).where(_REFRESH_TOKENS.c.subject == subject))


async def forget_expired(session: AsyncSession, now: datetime, *, limit: int) -> int:
    """Delete at most `limit` refresh tokens that are over; return how many."""
    over = select(_REFRESH_TOKENS.c.hash).where(_REFRESH_TOKENS.c.expires_at < now).limit(limit)
    # Passed over: what a session under way holds, which may wait for another of these.
    free = over.with_for_update(skip_locked=True)
    gone = delete(_REFRESH_TOKENS).where(_REFRESH_TOKENS.c.hash.in_(free))
    return len((await session.execute(gone.returning(_REFRESH_TOKENS.c.hash))).all())


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
    )
