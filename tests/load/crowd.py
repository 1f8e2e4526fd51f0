"""A crowd of buyers who open conversations at once, by the use case itself, and its floor."""

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from contracts.people import Role, ShopId
from kit.idempotency import CommandKey
from kit.row_security import EVERY_SHOP
from kit.web.auth import Principal
from services.conversation.reception.opening import Openings
from services.conversation.reception.schemas import NewConversation
from services.conversation.turns import ShopBusy
from tests.infrastructure import TestDatabase

_BUYERS: Final = """
INSERT INTO conversation.buyers (id, shop_id, name, tier, not_before)
SELECT b, $1, '买家', n % 4, now() FROM unnest($2::uuid[]) WITH ORDINALITY AS t (b, n)
"""
_FLOOR: Final = (
    """
    INSERT INTO conversation.conversations (id, shop_id, buyer_id, skill_group_id, state, stage,
        version, assignment_version, waiting_since, announced, opened_at, priority, subject)
    SELECT gen_random_uuid(), $1, b, gen_random_uuid(), 'queued', 'welcome', 2, 0, now(), true,
        now(), 0, '' FROM unnest($2::uuid[]) AS t (b)
    """,
    """
    INSERT INTO conversation.outbox (shard, event_id, topic, key, type, headers, body)
    SELECT 0, gen_random_uuid()::text, 'chat', '', '', '[]', decode(repeat('00', 400), 'hex')
    FROM unnest($2::uuid[]), generate_series(1, 2) WHERE $1 <> ''
    """,
    """
    INSERT INTO conversation.decisions (id, shop_id, subject_kind, subject_id, at, trigger, reason,
        candidates)
    SELECT gen_random_uuid(), $1, 'conversation', b, now(), '', '',
        (SELECT jsonb_agg(jsonb_build_object('agent_id', b, 'state', 'online', 'load', n,
            'capacity', n)) FROM generate_series(1, 20) AS n)
    FROM unnest($2::uuid[]) AS t (b)
    """,
    """
    INSERT INTO conversation.idempotency (subject, route, key, body_hash, status, headers, body)
    SELECT b::text, $1, b::text, decode(repeat('00', 32), 'hex'), 201, '{}',
        decode(repeat('00', 700), 'hex') FROM unnest($2::uuid[]) AS t (b)
    """,
)
"""What a crowd leaves behind that nobody has room for, in four statements of one transaction."""


@dataclass
class Pushed:
    """How long each open took, in ms, and to how many the shop was busy."""

    took: list[float] = field(default_factory=list)
    refused: int = 0


async def buyers(found: TestDatabase, shop: ShopId, count: int) -> list[str]:
    """Let new buyers in."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    async with found.connected("conversation", shop=EVERY_SHOP) as connection:
        await connection.execute(_BUYERS, shop, ids)
    return ids


async def push(openings: Openings, crowd: Mapping[ShopId, Sequence[str]]) -> Pushed:
    """Let all of them open at once."""
    pushed = Pushed()

    async def come(shop: ShopId, buyer: str) -> None:
        started = time.perf_counter()
        try:
            await openings.open(_principal(shop, buyer), NewConversation(), key=_key(shop, buyer))
        except ShopBusy:
            pushed.refused += 1
        else:
            pushed.took.append((time.perf_counter() - started) * 1_000)

    await asyncio.gather(*(come(shop, one) for shop, ids in crowd.items() for one in ids))
    return pushed


async def floor(connection: "asyncpg.Connection[Any]", shop: ShopId, ids: Sequence[str]) -> float:
    """Store the same by bare statements; return how long it took, in ms."""
    started = time.perf_counter()
    async with connection.transaction():
        for statement in _FLOOR:
            await connection.execute(statement, shop, list(ids))
    return (time.perf_counter() - started) * 1_000


def _principal(shop: ShopId, buyer: str) -> Principal:
    now = datetime.now(UTC)
    return Principal(buyer, Role.BUYER, shop, "", "", now, now + timedelta(hours=1))


def _key(shop: ShopId, buyer: str) -> CommandKey:
    return CommandKey(shop, buyer, "POST /v1/conversations", str(uuid.uuid4()), b"", status=201)
