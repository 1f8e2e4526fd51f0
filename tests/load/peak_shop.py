"""A shop at the peak, written straight into the database: all its agents full, thousands waiting.

And one beside it in which nothing happens. Ten thousand calls would take minutes and change
nothing here.
"""

import uuid
from dataclasses import dataclass
from typing import Final

from contracts.people import ShopId
from kit.row_security import EVERY_SHOP
from tests.infrastructure import TestDatabase

PEAK: Final = ShopId("peak")
CALM: Final = ShopId("calm")

AGENTS: Final = 500
CALM_AGENTS: Final = 50
CAPACITY: Final = 10
QUEUED: Final = 20_000
GROUPS: Final = 5

_SHOPS: Final = """
INSERT INTO conversation.shops (id, name, time_zone)
SELECT unnest($1::text[]), '旗舰店', 'Asia/Shanghai'
"""
_GROUPS: Final = """
INSERT INTO conversation.skill_groups (id, shop_id, code, name)
SELECT g, $1, 'group' || n, '' FROM unnest($2::uuid[]) WITH ORDINALITY AS t (g, n)
"""
_STAFF: Final = """
INSERT INTO conversation.staff (id, shop_id, login, password_hash, name, role, capacity, not_before,
    state, state_since)
SELECT a, $1, a::text, '', '客服', 'agent', $3, now(), 'online', now()
FROM unnest($2::uuid[]) AS t (a)
"""
_SKILLS: Final = """
INSERT INTO conversation.staff_skills (staff_id, skill_group_id)
SELECT a, ($2::uuid[])[1 + n % $3] FROM unnest($1::uuid[]) WITH ORDINALITY AS t (a, n)
"""
_ASSIGNED: Final = """
INSERT INTO conversation.conversations (id, shop_id, buyer_id, skill_group_id, state, stage,
    version, assignment_version, agent_id, preferred_agent_id, assigned_at, announced, opened_at,
    priority, subject)
SELECT gen_random_uuid(), $1, gen_random_uuid(), ($3::uuid[])[1 + n % $4], 'assigned', 'welcome', 2,
    2, a, a, now(), false, now() - interval '1 hour', n % 4, ''
FROM unnest($2::uuid[]) WITH ORDINALITY AS t (a, n), generate_series(1, $5) AS each
"""
_QUEUED: Final = """
INSERT INTO conversation.conversations (id, shop_id, buyer_id, skill_group_id, state, stage,
    version, assignment_version, preferred_agent_id, waiting_since, rank_at, announced, opened_at,
    priority, subject)
SELECT gen_random_uuid(), $1, gen_random_uuid(), ($3::uuid[])[1 + n % $4], 'queued', 'welcome', 1,
    0, CASE WHEN n % 3 = 0 THEN ($2::uuid[])[1 + n % cardinality($2::uuid[])] END, since,
    since - (n % 4) * interval '30 seconds', true, since, n % 4, ''
FROM (SELECT n, now() - (n % 3600) * interval '1 second' AS since
    FROM generate_series(1, $5) AS t (n)) AS q
"""
_WORDS: Final = """
INSERT INTO conversation.messages (message_id, conversation_id, generation, partition, log_offset,
    type, time, sender_kind, body)
SELECT gen_random_uuid(), c.id, 1, 0, row_number() OVER (ORDER BY c.id, each), 'chat.message.v1',
    c.opened_at + each * interval '1 second',
    CASE WHEN each % 2 = 0 AND c.state = 'assigned' THEN 'agent' ELSE 'buyer' END,
    '{"assignment_version": 2}'
FROM conversation.conversations c, generate_series(1, 5) AS each
"""


@dataclass(frozen=True)
class Peak:
    """What was written: the agents of both shops, and a group of the calm one."""

    agents: tuple[str, ...]
    calm_agents: tuple[str, ...]
    calm_group: str


async def write(made: TestDatabase) -> Peak:
    """Write both shops into an empty database."""
    calm_groups = _ids(GROUPS)
    peak = Peak(_ids(AGENTS), _ids(CALM_AGENTS), calm_groups[0])
    async with made.connected("conversation", shop=EVERY_SHOP) as connection:
        await connection.execute(_SHOPS, [PEAK, CALM])
        for shop, agents in ((PEAK, peak.agents), (CALM, peak.calm_agents)):
            groups = calm_groups if shop == CALM else _ids(GROUPS)
            await connection.execute(_GROUPS, shop, groups)
            await connection.execute(_STAFF, shop, agents, CAPACITY)
            await connection.execute(_SKILLS, agents, groups, GROUPS)
            full = CAPACITY if shop == PEAK else CAPACITY // 2
            await connection.execute(_ASSIGNED, shop, agents, groups, GROUPS, full)
            if shop == PEAK:
                await connection.execute(_QUEUED, shop, agents, groups, GROUPS, QUEUED)
        await connection.execute(_WORDS)
    await made.alter("conversation", "VACUUM ANALYZE")
    return peak


def _ids(count: int) -> tuple[str, ...]:
    return tuple(str(uuid.uuid4()) for _ in range(count))
