"""`just bench search`: words looked for among a million messages, frequent ones, rare ones, none.

The index is filled as it stands once everything is indexed; a search is the whole use case, from
the query to the conversations of what was found. Texts are drawn by the frequency of words that
speech has: few words make most of it.
"""

import math
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any, Final

import asyncpg
import msgspec
import pytest
from pydantic import SecretStr

from contracts.people import Role
from kit.audit import Audit
from kit.clock import SystemClock
from kit.ids import Uuid7Ids
from kit.postgres import Database
from kit.web.auth import Principal
from kit.web.paging import Cursors
from services.conversation.search.domain import keys_of
from services.conversation.search.schemas import FoundView, SearchQuery
from services.conversation.search.service import Search
from services.conversation.tables import AUDIT
from tests import infrastructure
from tests.infrastructure import Infrastructure, TestDatabase
from tests.load.judging import Bench
from tests.load.ratios import Ratio

pytestmark = [pytest.mark.load, pytest.mark.timeout(600)]

MESSAGES: Final = 1_000_000
TALKS: Final = 50_000
DRAWN: Final = 40_000
"""Texts that are drawn; each is said so often that all of them are a million."""

SHOP: Final = "search"
FREQUENT: Final = 10
RARE: Final = 10
TIMES: Final = 5
MOST_MS: Final = 300.0

_UNSAID: Final = 0x6000
"""From here on no character is drawn."""
_CHARACTERS: Final = [chr(code) for code in range(0x4E00, 0x4E00 + 2_500)]
_TALK: Final = "('00000000-0000-7000-8000-' || lpad((1 + n % {talks})::text, 12, '0'))::uuid"

_FILLS: Final = (
    f"""
    insert into conversation.shops (id, name, time_zone) values ('{SHOP}', '', 'Asia/Shanghai')
    """,
    f"""
    insert into conversation.conversations (id, shop_id, buyer_id, skill_group_id, state, stage,
        version, assignment_version, announced, opened_at, closed_at, priority, subject)
    select {_TALK.format(talks=TALKS)}, '{SHOP}', gen_random_uuid(), gen_random_uuid(), 'closed',
        'welcome', 1, 1, true, now(), now(), 0, '' from generate_series(1, {TALKS}) n
    """,
    f"""
    insert into conversation.messages (message_id, conversation_id, generation, partition,
        log_offset, type, time, sender_kind, body)
    select ('10000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid,
        {_TALK.format(talks=TALKS)}, 1, 0, n, 'chat.message.v1',
        now() - ({MESSAGES} - n) * interval '1 second', 'buyer', d.body
    from generate_series(1, {MESSAGES}) n
    join conversation.drawn d on d.number = n * 7919::bigint % {DRAWN}
    """,
    f"""
    insert into conversation.words (message_id, shop_id, conversation_id, sender_id, at, terms)
    select m.message_id, '{SHOP}', m.conversation_id, '', m.time, d.keys
    from conversation.messages m
    join conversation.drawn d on d.number = m.log_offset * 7919 % {DRAWN}
    """,
)


@dataclass(frozen=True)
class Texts:
    """What was said, and which words of it are frequent and which are rare."""

    said: Sequence[str]
    frequent: Sequence[str]
    rare: Sequence[str]


def _drawn(rng: random.Random) -> Texts:
    """Draw words by their rank, and messages of a few of them: most are short, some are long."""
    words = ["".join(rng.choices(_CHARACTERS, k=2)) for _ in range(8_000)]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    said = []
    for _ in range(DRAWN):
        length = max(1, min(120, round(math.exp(rng.gauss(1.6, 0.8)))))
        said.append("".join(rng.choices(words, weights, k=length)))
    rare = [chr(_UNSAID + 2 * number) + chr(_UNSAID + 2 * number + 1) for number in range(RARE)]
    for number, word in enumerate(rare):
        said[number * 997] += f"，{word}"
    return Texts(said, words[:FREQUENT], rare)


async def test_words_are_found_among_a_million_messages(
    place: Infrastructure, bench: Bench
) -> None:
    texts = _drawn(random.Random(17))
    async with _filled(place, texts) as made:
        store = Database(made.dsn("conversation"), schema="conversation", pool_size=2)
        try:
            await _measure(_search(store), texts, bench)
        finally:
            await store.close()


async def _measure(search: Search, texts: Texts, bench: Bench) -> None:
    kinds: Mapping[str, Sequence[str]] = {
        "frequent": texts.frequent,
        "rare": texts.rare,
        "absent": ["龘靐"],
    }
    await _round(search, kinds)  # to get warm
    rounds = [await _round(search, kinds) for _ in range(bench.rounds)]
    found = [
        Ratio(
            "p99 of a search, ms",
            [_p99([one for each in took.values() for one in each]) for took in rounds],
            most=MOST_MS,
        ),
        *(
            Ratio(f"p99 of a {kind} word, ms", [_p99(took[kind]) for took in rounds])
            for kind in kinds
        ),
    ]
    bench.report(f"Search among {MESSAGES:,} messages", found, {"rounds": rounds})


async def _round(search: Search, kinds: Mapping[str, Sequence[str]]) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(TIMES):
        for kind, words in kinds.items():
            for word in words:
                begun = time.perf_counter()
                answer = await search.messages(_principal(), SearchQuery(q=word))
                took[kind].append((time.perf_counter() - begun) * 1_000)
                _right(answer, kind)
    return took


def _right(answer: FoundView, kind: str) -> None:
    """Hold an answer against what was said: a figure of a wrong answer is none."""
    assert not answer.partial, kind
    if kind == "frequent":
        assert len(answer.items) == 50
        assert answer.next_cursor is not None
    elif kind == "rare":
        assert len(answer.items) == MESSAGES // DRAWN
    else:
        assert answer.items == ()


def _p99(took: Sequence[float]) -> float:
    return quantiles(took, n=100)[-1]


def _search(store: Database) -> Search:
    clock = SystemClock()

    async def through() -> datetime | None:
        return clock.now()

    audit = Audit(AUDIT, clock, Uuid7Ids(clock))
    return Search(store, audit, clock, Cursors(SecretStr("x" * 32)), through)


def _principal() -> Principal:
    now = datetime.now(UTC)
    return Principal("person", Role.SUPERVISOR, SHOP, "", "", now, now + timedelta(hours=1))


@asynccontextmanager
async def _filled(place: Infrastructure, texts: Texts) -> AsyncIterator[TestDatabase]:
    """Yield a database with everything said and indexed; indexes are made behind the rows."""
    made = await infrastructure.create_database(place)
    try:
        await made.migrate("conversation")
        await made.alter(
            "conversation",
            "create table conversation.drawn (number bigint primary key, body text, keys bigint[])",
            "drop index conversation.ix_words_terms",
        )
        async with made.connected("conversation", shop="*") as connection:
            await _copy(connection, texts.said)
            for fill in _FILLS:
                await connection.execute(fill, timeout=300)
        await made.alter(
            "conversation",
            "create index ix_words_terms on conversation.words using gin (terms)",
            "analyze",
        )
        yield made
    finally:
        await infrastructure.drop_database(place, made.name)


async def _copy(connection: "asyncpg.Connection[Any]", said: Sequence[str]) -> None:
    rows = [
        (
            number,
            msgspec.json.encode(
                {"sender_id": "p", "kind": "text", "d": {"text": one}, "client_id": "0" * 36}
            ).decode(),
            keys_of(SHOP, one),
        )
        for number, one in enumerate(said)
    ]
    await connection.copy_records_to_table(
        "drawn",
        schema_name="conversation",
        records=rows,
        columns=["number", "body", "keys"],
        timeout=120,
    )
