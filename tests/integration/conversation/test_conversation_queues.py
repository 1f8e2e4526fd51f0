"""What routing reads: everybody's load, and of each queue so many heads as there are places."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.conversation import Timing
from contracts.people import AgentState, PersonId, Role, ShopId, SkillGroupId
from kit.postgres import Database
from services.conversation.conversations.domain import rank_of
from services.conversation.routing import queues
from services.conversation.routing.assignment import Candidate, Distribution, Waiting
from services.conversation.shops import repository as shops
from services.conversation.shops.domain import USUAL
from tests.infrastructure import Infrastructure
from tests.plans import filled
from tests.unit.conversation.queue_model import heads

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

NOW = datetime(2026, 11, 11, tzinfo=UTC)
ROLES = (Role.AGENT, Role.SENIOR, Role.SUPERVISOR)

_SHOP = text("insert into shops (id, name, time_zone) values (:id, '', 'Asia/Shanghai')")
_GROUP = text("insert into skill_groups (id, shop_id, code, name) values (:id, :shop, :code, '')")
_AGENT = text(
    """
    insert into staff (id, shop_id, login, password_hash, name, role, capacity, not_before, state)
    values (:id, :shop, :login, '', '', :role, :capacity, now(), :state)
    """
)
_SKILL = text("insert into staff_skills values (:agent, :group)")
_CHAT = text(
    """
    insert into conversations (id, shop_id, buyer_id, skill_group_id, state, stage, version,
        assignment_version, agent_id, preferred_agent_id, avoided_agent_id, waiting_since, rank_at,
        announced, opened_at, priority, subject)
    values (:id, :shop, :id, :group, :state, 'welcome', 1, 1, :agent, :preferred, :avoided, :since,
        :rank, true, now(), :priority, '')
    """
)
_WORK = text(
    """
    insert into work_items (id, shop_id, kind, order_id, buyer_id, skill_group_id, due_at,
        waiting_since, agent_id, previous_agent_id, version, settled, role, senior_id, level)
    values (:id, :shop, 'verify_address', '', '', :group, now(), :since, :agent, :preferred, 1,
        :settled, :role, :senior, :level)
    """
)


@dataclass
class Situation:
    """A shop made by chance: who is there, who waits, who has whom."""

    chance: Random
    shop: ShopId
    groups: list[SkillGroupId] = field(default_factory=list)
    agents: list[Candidate] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    work: set[str] = field(default_factory=set)

    def id(self) -> str:
        """Return an id."""
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    async def fill(self, session: AsyncSession) -> None:
        """Store it."""
        await session.execute(_SHOP, {"id": self.shop})
        for _ in range(3):
            self.groups.append(SkillGroupId(self.id()))
            row = {"id": self.groups[-1], "code": self.groups[-1], "shop": self.shop}
            await session.execute(_GROUP, row)
        for _ in range(self.chance.randint(0, 7)):
            await self._hire(session)
        for _ in range(self.chance.randint(0, 40)):
            await self._wait(session)

    async def _hire(self, session: AsyncSession) -> None:
        chance, agent = self.chance, PersonId(self.id())
        state, capacity = chance.choice(list(AgentState)), chance.randint(0, 6)
        role = chance.choice(ROLES)
        row = {"id": agent, "login": agent, "shop": self.shop, "capacity": capacity}
        await session.execute(_AGENT, row | {"state": state, "role": role})
        skills = chance.sample(self.groups, chance.randint(0, 2))
        for group in skills:
            await session.execute(_SKILL, {"agent": agent, "group": group})
        chats, work, settled, beside = (chance.randint(0, 3) for _ in range(4))
        for _ in range(chats):
            await session.execute(_CHAT, self._chat("assigned", agent=agent))
        for number in range(work + settled):
            await session.execute(_WORK, self._item(agent=agent, settled=number >= work))
        for number in range(beside + settled):
            item = self._item(settled=number >= beside) | {"senior": agent, "level": 1}
            await session.execute(_WORK, item)
        if state is not AgentState.OFFLINE:
            skilled = frozenset(skills)
            load = chats + work + beside
            self.agents.append(
                Candidate(agent, state, load, capacity, skilled, role=role, beside=beside)
            )

    async def _wait(self, session: AsyncSession) -> None:
        chance = self.chance
        had = [None, *(one.agent_id for one in self.agents)]
        is_work = chance.random() < 0.3
        role = chance.choice([None, *ROLES]) if is_work else None
        of_group = [None] if role else [*self.groups, None] if is_work else self.groups
        one = Waiting(
            id=self.id(),
            skill_group_id=chance.choice(of_group),
            since=NOW - timedelta(seconds=chance.randint(0, 60)),
            priority=0 if is_work else chance.randint(0, 3),
            preferred_agent_id=chance.choice(had),
            avoided_agent_id=None if is_work else chance.choice(had),
            role=role,
        )
        self.waiting.append(one)
        if is_work:
            self.work.add(one.id)
            await session.execute(_WORK, self._item(of=one))
        else:
            await session.execute(_CHAT, self._chat("queued", of=one))

    def _chat(
        self, state: str, *, of: Waiting | None = None, agent: PersonId | None = None
    ) -> dict[str, Any]:
        return {
            "id": of.id if of else self.id(),
            "shop": self.shop,
            "group": of.skill_group_id if of else self.groups[0],
            "state": state,
            "agent": agent,
            "preferred": of.preferred_agent_id if of else agent,
            "avoided": of.avoided_agent_id if of else None,
            "since": of.since if of else None,
            "rank": rank_of(of.since, of.priority) if of else None,
            "priority": of.priority if of else 0,
        }

    def _item(
        self, *, of: Waiting | None = None, agent: PersonId | None = None, settled: bool = False
    ) -> dict[str, Any]:
        return {
            "id": of.id if of else self.id(),
            "shop": self.shop,
            "group": of.skill_group_id if of else None,
            "since": of.since if of else None,
            "agent": agent,
            "preferred": of.preferred_agent_id if of else None,
            "settled": settled,
            "role": of.role if of else None,
            "senior": None,
            "level": 0,
        }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(infra: Infrastructure) -> AsyncIterator[Database]:
    """An empty schema."""
    async with filled(infra, "conversation") as made:
        yield made


@pytest.mark.parametrize("seed", range(60))
async def test_heads_and_loads_are_what_the_whole_shop_says(store: Database, seed: int) -> None:
    shop = Situation(Random(seed), ShopId(f"shop-{seed}"))
    own = [] if seed % 2 else [Timing(overflow_s=one) for one in (1, 5 + seed)]
    patient = NOW - timedelta(seconds=[USUAL, *own][-1].overflow_s)
    async with store.write(shop.shop) as session:
        await shop.fill(session)
        for timing in own:
            await shops.keep_timing(session, shop.shop, timing, NOW)
    async with store.read(shop.shop) as session:
        known = await queues.candidates(session, shop.shop, everybody=True)
        fewer = await queues.candidates(session, shop.shop, everybody=False)
        places = Distribution(known, now=NOW).places()
        found = await queues.heads(session, shop.shop, places, now=NOW)

    def by_id(one: Candidate) -> str:
        return one.agent_id

    assert sorted(known, key=by_id) == sorted(shop.agents, key=by_id)
    assert sorted(fewer, key=by_id) == [
        one if one.has_room else replace(one, groups=None) for one in sorted(shop.agents, key=by_id)
    ]
    wanted = heads(shop.waiting, places, patient=patient, work=shop.work)
    assert sorted(one.id for one in found.waiting) == sorted(one.id for one in wanted)
    assert {one.id: one for one in found.waiting} == {one.id: one for one in wanted}
    assert found.patient == patient
    assert found.work == shop.work & {one.id for one in wanted}


async def test_a_release_that_knows_no_rank_leaves_rows_that_are_found(store: Database) -> None:
    """The release before inserts and changes rows without the column."""
    shop = Situation(Random(1_002), ShopId("before"))
    old = text(
        "insert into conversations (id, shop_id, buyer_id, skill_group_id, state, stage, version,"
        " assignment_version, waiting_since, announced, opened_at, priority, subject)"
        " values (:id, 'before', :id, :group, 'queued', 'welcome', 1, 1, :since, true, now(), 2,"
        " '')"
    )
    requeued = text("update conversations set waiting_since = :since where id = :id")
    talk, since = shop.id(), NOW - timedelta(seconds=100)
    async with store.write(shop.shop) as session:
        await shop.fill(session)
        await session.execute(old, {"id": talk, "group": shop.groups[0], "since": since})
        first = await _rank(session, talk)
        await session.execute(requeued, {"id": talk, "since": NOW})
        second = await _rank(session, talk)

    assert (first, second) == (rank_of(since, 2), rank_of(NOW, 2))


async def test_shops_are_found_one_by_one(store: Database) -> None:
    async with store.read_across("a test") as session:
        waiting, serving = await queues.shops_waiting(session), await queues.shops_serving(session)
        plain = text(
            "select distinct shop_id from conversations where state = 'queued' union"
            " select distinct shop_id from work_items where waiting_since is not null"
            " and not settled"
        )
        of_agents = text("select distinct shop_id from conversations where state = 'assigned'")

        assert waiting == sorted((await session.execute(plain)).scalars())
        assert serving == sorted((await session.execute(of_agents)).scalars())
    assert len(waiting) > 20


async def _rank(session: AsyncSession, talk: str) -> datetime:
    found = text("select rank_at from conversations where id = :id")
    rank: datetime = (await session.execute(found, {"id": talk})).scalar_one()
    return rank
