"""Carries keyed commands out once: their first answer is kept with their effect.

Knows the table and its lock; must not know what a command does, nor how a key arrives.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, cast

from pydantic import BaseModel
from sqlalchemy import CursorResult, Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from kit.idempotency import CommandKey, InFlight, KeyReused, Replayed, View

KEPT: Final = timedelta(hours=24)
"""How long an answer is repeated; then the key is free again."""

_CLAIM: Final = text("select pg_try_advisory_xact_lock(:lock)")
_FIND: Final = text(
    "select body_hash, status, headers, body from idempotency"
    " where subject = :subject and route = :route and key = :key"
    " and created_at >= now() - cast(:kept as interval)"
)
_CLAIM_ALL: Final = text(
    "select lock, pg_try_advisory_xact_lock(lock) as claimed"
    " from unnest(cast(:locks as bigint[])) as w (lock)"
)
_FIND_ALL: Final = text(
    "select w.number, i.body_hash, i.status, i.headers, i.body"
    " from unnest(cast(:subjects as text[]), cast(:routes as text[]), cast(:keys as text[]))"
    " with ordinality as w (subject, route, key, number)"
    " join idempotency i on i.subject = w.subject and i.route = w.route and i.key = w.key"
    " and i.created_at >= now() - cast(:kept as interval)"
)
_KEEP: Final = text(
    "insert into idempotency (subject, route, key, body_hash, status, headers, body)"
    " values (:subject, :route, :key, :body_hash, :status, cast(:headers as jsonb), :body)"
    " on conflict (subject, route, key) do update set body_hash = excluded.body_hash,"
    " status = excluded.status, headers = excluded.headers, body = excluded.body,"
    " created_at = now()"
)
_FORGET: Final = text(
    "delete from idempotency where ctid = any(array(select ctid from idempotency"
    " where created_at < now() - cast(:kept as interval) limit :limit))"
)


class Command:
    """A keyed command under way: its one session, and where its answer is kept."""

    def __init__(self, session: AsyncSession, key: CommandKey) -> None:
        self.session = session
        self._key = key
        self.kept = False

    async def keep(self, view: View) -> View:
        """Store the answer in the command's transaction, and return it.

        It is stored as it stands: a secret is put in afterwards, and into a replay by
        `Replayed.completed`.
        """
        await self.session.execute(_KEEP, _row(self._key, view))
        self.kept = True
        return view


@asynccontextmanager
async def carried_out(session: AsyncSession, key: CommandKey) -> AsyncIterator[Command]:
    """Carry out a command once per (caller, route, key), inside its session's transaction.

    In flight is found by an advisory lock that the transaction holds: a plain insert would wait
    for the other to end (H25). A command that raises leaves nothing behind and may be repeated
    with its key. Raises `Replayed`, `InFlight`, or `KeyReused` when the key came with something
    else.
    """
    claimed = await session.execute(_CLAIM, {"lock": key.lock})
    if not claimed.scalar_one():
        raise InFlight
    await _refuse_replay(session, key)
    command = Command(session, key)
    yield command
    if not command.kept:
        raise RuntimeError("a keyed command must keep its answer: call command.keep(...)")


async def refusals(
    session: AsyncSession, keys: Sequence[CommandKey]
) -> list[InFlight | KeyReused | Replayed | None]:
    """Claim several commands for one transaction, which ends with `keep_all`.

    Return of each why it is not to be carried out, as `carried_out` raises it; None: it is to be.
    Of two with one key the second is in flight.
    """
    asked = {"locks": [key.lock for key in keys]}
    claimed = {row.lock for row in await session.execute(_CLAIM_ALL, asked) if row.claimed}
    places = {
        "subjects": [key.owner for key in keys],
        "routes": [key.route for key in keys],
        "keys": [key.key for key in keys],
        "kept": KEPT,
    }
    found = {row.number: row for row in await session.execute(_FIND_ALL, places)}
    refused: list[InFlight | KeyReused | Replayed | None] = []
    for number, key in enumerate(keys, 1):
        if key.lock not in claimed:
            refused.append(InFlight())
            continue
        before = found.get(number)
        refused.append(None if before is None else _refusal(before, key))
        if before is None:
            claimed.remove(key.lock)
    return refused


async def keep_all(session: AsyncSession, answers: Sequence[tuple[CommandKey, BaseModel]]) -> None:
    """Store the answers to several commands in their transaction, as `Command.keep` does."""
    if answers:
        await session.execute(_KEEP, [_row(key, view) for key, view in answers])


async def forget(session: AsyncSession, *, limit: int = 5_000) -> int:
    """Delete at most `limit` answers older than `KEPT`; return how many."""
    gone = await session.execute(_FORGET, {"kept": KEPT, "limit": limit})
    return cast("CursorResult[Any]", gone).rowcount


async def _refuse_replay(session: AsyncSession, key: CommandKey) -> None:
    place = {"subject": key.owner, "route": key.route, "key": key.key, "kept": KEPT}
    found = (await session.execute(_FIND, place)).one_or_none()
    if found is not None:
        raise _refusal(found, key)


def _refusal(found: Row[Any], key: CommandKey) -> KeyReused | Replayed:
    if bytes(found.body_hash) != key.body_hash:
        return KeyReused()
    return Replayed(found.status, found.headers, bytes(found.body))


def _row(key: CommandKey, view: BaseModel) -> dict[str, object]:
    return {
        "subject": key.owner,
        "route": key.route,
        "key": key.key,
        "body_hash": key.body_hash,
        "status": key.status,
        "headers": json.dumps(dict(key.headers(view))),
        "body": view.model_dump_json(by_alias=True).encode(),
    }
