"""The outbox: events recorded in the transaction of the change that caused them.

Knows no broker; `kit.relay` publishes what stands here.
"""

import json
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kit.bus.ports import MESSAGE_BYTES, Envelope, Headers, TooLarge
from kit.telemetry import inject

SHARDS: Final = 8
"""Events of one key share a shard, one relay at a time works a shard: so their order holds."""

_ADD: Final = text(
    """
    with added as (
        insert into outbox (shard, event_id, topic, key, type, headers, body)
        select * from unnest(
            cast(:shards as smallint[]), cast(:ids as text[]), cast(:topics as text[]),
            cast(:keys as text[]), cast(:types as text[]), cast(:headers as jsonb[]),
            cast(:bodies as bytea[])
        )
    )
    select pg_notify(:channel || current_schema(), :woken)
    """
)
"""Rows get ids in the order of the arrays; one round trip, and the relay is woken on commit."""

CHANNEL: Final = "outbox_"
"""Channel of the wake-up, followed by the schema; the payload lists the shards, by commas."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Says on a compacted topic that there is nothing more to say of a key."""

    id: str
    time: datetime
    topic_name: str
    key: str
    shop_id: str
    type: str = "tombstone"

    def body(self) -> bytes:
        """Return nothing: no event has an empty body, and the relay sends none for it."""
        return b""

    def headers(self) -> Headers:
        """Return none."""
        return ()


async def add(session: AsyncSession, *events: Envelope) -> None:
    """Record events, in this order, to be published after the commit.

    Lock the aggregate's row before: only then does the order of ids follow the order of facts.
    Flushes first, for SQLAlchemy's own flush may put this insert before the aggregate's update.
    The current trace travels along.
    Raises `TooLarge` for an event that no broker would take.
    """
    if not events:
        return
    await session.flush()
    rows = [_row(event) for event in events]
    shards, ids, topics, keys, types, headers, bodies = map(list, zip(*rows, strict=True))
    await session.execute(
        _ADD,
        {
            "shards": shards,
            "ids": ids,
            "topics": topics,
            "keys": keys,
            "types": types,
            "headers": headers,
            "bodies": bodies,
            "channel": CHANNEL,
            "woken": ",".join(map(str, sorted(set(shards)))),
        },
    )


def shard_of(key: str) -> int:
    """Return the shard of a key: stable over releases and machines."""
    return zlib.crc32(key.encode()) % SHARDS


def _row(event: Envelope) -> tuple[int, str, str, str, str, str, bytes]:
    body = event.body()
    if len(body) > MESSAGE_BYTES // 2:
        raise TooLarge(f"{event.type} has a body of {len(body)} bytes: split the event")
    headers = [(name, value.decode()) for name, value in inject(event.headers())]
    return (
        shard_of(event.key),
        event.id,
        event.topic_name,
        event.key,
        event.type,
        json.dumps(headers),
        body,
    )
