"""Idempotency keys (IETF draft -08): the first answer to a keyed command, kept with its effect.

Knows commands by subject, route and key; must not know what they do.
"""

import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, cast

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response
from typing_extensions import override

from kit.errors import Conflict, Unprocessable
from kit.web.problems import BadRequest
from kit.web.tokens import Principal

KEY_LIMIT: Final = 255
"""Characters of a key; a longer one is answered 400."""

KEPT: Final = timedelta(hours=24)
"""How long an answer is repeated; then the key is free again."""

REPLAYED: Final = "Idempotent-Replayed"

_KEY: Final = re.compile(r"[\x21\x23-\x7e](?:[\x20\x21\x23-\x7e]*[\x21\x23-\x7e])?")

_CLAIM: Final = text("select pg_try_advisory_xact_lock(:lock)")
_FIND: Final = text(
    "select body_hash, status, headers, body from idempotency"
    " where subject = :subject and route = :route and key = :key"
    " and created_at >= now() - cast(:kept as interval)"
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


class BadKey(BadRequest):
    """The Idempotency-Key is missing or unreadable."""

    slug = "bad_idempotency_key"
    title = f"Send an Idempotency-Key of 1 to {KEY_LIMIT} printable ASCII characters"


class KeyReused(Unprocessable):
    """The key was used for another request."""

    slug, title = "idempotency_key_reused", "This Idempotency-Key belongs to another request"


class InFlight(Conflict):
    """The same command is being carried out at this moment."""

    slug, title = "idempotency_in_flight", "The same request is still being carried out"

    @property
    @override
    def retry_after(self) -> int:
        return 1


@dataclass(frozen=True, slots=True)
class Keyed:
    """A keyed request: its key, its route's template, and a hash of where and what was sent."""

    key: str
    route: str
    body_hash: bytes


async def keyed(
    request: Request,
    idempotency_key: Annotated[
        str | None, Header(description="Unique per command; a repeat gets the first answer")
    ] = None,
) -> Keyed:
    """Read the key of a request. Raises `BadKey`."""
    key = (idempotency_key or "").strip()
    if key.startswith('"') and key.endswith('"'):
        key = key[1:-1]  # the draft's form is a quoted string; most clients send it bare
    if len(key) > KEY_LIMIT or not _KEY.fullmatch(key):
        raise BadKey
    template = getattr(request.scope.get("route"), "path_format", request.url.path)
    digest = hashlib.sha256(f"{request.url.path}?{request.url.query}\n".encode())
    digest.update(await request.body())
    return Keyed(key, f"{request.method} {template}", digest.digest())


IdempotencyKey = Annotated[Keyed, Depends(keyed)]
"""A parameter of every POST that changes something: the request's key."""


class Slot:
    """Where a command's answer is found or kept. Within the block, first look at `replay`."""

    def __init__(
        self, session: AsyncSession, place: Mapping[str, object], replay: Response | None
    ) -> None:
        self._session = session
        self._place = place
        self._kept = False
        self.replay = replay
        """The answer given before; return it and do nothing else."""

    @property
    def settled(self) -> bool:
        """Tell whether there is an answer, old or new."""
        return self._kept or self.replay is not None

    async def keep(
        self, answer: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Store the answer in the block's transaction and return it as the response to send."""
        body = answer.model_dump_json().encode()
        extra = dict(headers or {})
        await self._session.execute(
            _KEEP,
            {**self._place, "status": status, "headers": json.dumps(extra), "body": body},
        )
        self._kept = True
        return Response(body, status, extra, media_type="application/json")


@asynccontextmanager
async def idempotent(
    session: AsyncSession, principal: Principal, request: Keyed
) -> AsyncIterator[Slot]:
    """Carry out a command once per (caller, route, key), inside the caller's transaction.

    In flight is found by an advisory lock that the transaction holds: a plain insert would wait
    for the other to end (H25). A command that raises leaves nothing behind and may be repeated
    with its key. Raises `InFlight`, or `KeyReused` when the key came with something else.
    """
    place = {
        "subject": f"{principal.shop_id}:{principal.subject}",
        "route": request.route,
        "key": request.key,
        "body_hash": request.body_hash,
    }
    claimed = await session.execute(_CLAIM, {"lock": _lock(place)})
    if not claimed.scalar_one():
        raise InFlight
    slot = Slot(session, place, await _earlier(session, place))
    yield slot
    if not slot.settled:
        raise RuntimeError("a keyed command must keep its answer: call slot.keep(...)")


async def forget(session: AsyncSession, *, limit: int = 5_000) -> int:
    """Delete at most `limit` answers older than `KEPT`; return how many."""
    gone = await session.execute(_FORGET, {"kept": KEPT, "limit": limit})
    return cast("CursorResult[Any]", gone).rowcount


async def _earlier(session: AsyncSession, place: Mapping[str, object]) -> Response | None:
    wanted = {name: place[name] for name in ("subject", "route", "key")}
    found = (await session.execute(_FIND, {**wanted, "kept": KEPT})).one_or_none()
    if found is None:
        return None
    if bytes(found.body_hash) != place["body_hash"]:
        raise KeyReused
    headers = {**found.headers, REPLAYED: "true"}
    return Response(bytes(found.body), found.status, headers, media_type="application/json")


def _lock(place: Mapping[str, object]) -> int:
    named = json.dumps(["idempotency", place["subject"], place["route"], place["key"]])
    return int.from_bytes(hashlib.blake2b(named.encode(), digest_size=8).digest(), signed=True)
