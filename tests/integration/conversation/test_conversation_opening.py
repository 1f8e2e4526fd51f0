"""Opening conversations: what it asks of the database, and what a crowd finds (H39)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine, event, text

from contracts.people import ShopId
from tests.integration.conversation.desk import Person, Platform, Shop, code, ok
from tests.integration.conversation.shift import open_talk
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

BEFORE_THE_TURN = 7
"""The shop, the buyer, his key, its answer, the groups, the waits, and the turn itself."""

UNDER_THE_TURN = 7
"""What he has open, the agents, the queues, his conversation, its events, the decision, the
answer. So many of an open, and of a crowd that is opened together."""

OF_A_FREED_PLACE = 11
"""The row that is closed, read and written; the agents, the queues; the head, its buyer's wait, its
row; events, the decision; who the buyer is, and the answer."""

BEGIN, TURN = "set_config('app.shop'", "pg_try_advisory_xact_lock(hashtextextended("

SHOPS, BUYERS, AGENTS, CAPACITY = 3, 16, 4, 3

_OVERFULL = text(
    """
    select agent_id from conversations c join staff s on s.id = c.agent_id
    where c.state = 'assigned' group by agent_id having count(*) > max(s.capacity)
    """
)
_TALKS = text("select id::text, buyer_id::text, version from conversations where shop_id = :shop")
_TOLD = text(
    """
    select m.conversation_id::text as id, array_agg(
        (m.body::json ->> 'version')::integer order by m.generation, m.log_offset
    ) as versions
    from messages m join conversations c on c.id = m.conversation_id
    where c.shop_id = :shop group by m.conversation_id
    """
)


class Transactions:
    """What is sent meanwhile, transaction by transaction of each connection."""

    def __init__(self) -> None:
        self._sent: dict[int, list[list[tuple[str, str]]]] = {}

    def catch(self, *call: Any) -> None:
        """Note a statement, as SQLAlchemy tells of it."""
        connection, _cursor, statement, parameters, *_ = call
        of_connection = self._sent.setdefault(id(connection.connection.dbapi_connection), [[]])
        if BEGIN in statement:
            of_connection.append([])
        of_connection[-1].append((statement, str(parameters)))

    def with_turn_of(self, shop: str) -> list[list[str]]:
        """Return the statements of each transaction that took the shop's turn."""
        return [
            [statement for statement, _ in sent]
            for transactions in self._sent.values()
            for sent in transactions
            if any(TURN in statement and shop in asked for statement, asked in sent)
        ]


@contextmanager
def transactions() -> Iterator[Transactions]:
    """Yield what is sent meanwhile."""
    caught = Transactions()
    event.listen(Engine, "before_cursor_execute", caught.catch)
    try:
        yield caught
    finally:
        event.remove(Engine, "before_cursor_execute", caught.catch)


async def test_an_open_asks_little_and_less_while_it_has_the_turn(platform: Platform) -> None:
    shop = await platform.shop()
    await shop.staff()
    buyer = await shop.buyer()

    with transactions() as sent:
        talk = await open_talk(buyer)

    assert talk["state"] == "assigned"
    [[*statements]] = [one for one in sent.with_turn_of(shop.id) if _opens(one)]
    assert _counted(statements) == (BEFORE_THE_TURN, UNDER_THE_TURN), statements


async def test_a_place_that_is_freed_finds_the_next_buyer_by_few_questions(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    agent = await shop.staff(capacity=1)
    had, waits = [await open_talk(await shop.buyer()) for _ in range(2)]

    with transactions() as sent:
        ok(await agent.post(f"/v1/conversations/{had['id']}/close"))

    assert ok(await agent.get(f"/v1/conversations/{waits['id']}"))["agent_id"] == agent.id
    [[*statements]] = [one for one in sent.with_turn_of(shop.id) if _gives(one)]
    assert _counted(statements)[1] == OF_A_FREED_PLACE, statements


async def test_a_crowd_is_opened_by_a_few_goes(platform: Platform) -> None:
    shop = await platform.shop()
    await shop.staff(capacity=100)
    buyers = await asyncio.gather(*(shop.buyer() for _ in range(40)))

    with transactions() as sent:
        talks = await asyncio.gather(*(open_talk(buyer) for buyer in buyers))

    goes = [one for one in sent.with_turn_of(shop.id) if _opens(one)]
    assert {talk["state"] for talk in talks} == {"assigned"}
    assert len({talk["id"] for talk in talks}) == len(buyers)
    assert len(goes) < len(buyers) / 2
    assert {_counted(one) for one in goes} == {(BEFORE_THE_TURN, UNDER_THE_TURN)}


async def test_a_crowd_among_whom_some_are_refused(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    buyers = [await shop.buyer() for _ in range(3)]
    doubled = {"product": "手机壳"}

    good, bad, first, second, other = await asyncio.gather(
        buyers[0].post("/v1/conversations"),
        buyers[1].post("/v1/conversations", {"topic": "nobody"}),
        buyers[2].post("/v1/conversations", doubled, key="one key"),
        buyers[2].post("/v1/conversations", doubled, key="one key"),
        buyers[2].post("/v1/conversations", {"product": "充电器"}, key="another key"),
    )

    assert ok(good, 201)["agent_id"] == agent.id
    assert bad.status_code == 422
    assert {code(one) if one.status_code != 201 else 201 for one in (first, second)} <= {
        201, (409, "idempotency_in_flight"),
    }  # fmt: skip
    again = await buyers[2].post("/v1/conversations", doubled, key="one key")
    assert again.headers["idempotent-replayed"] == "true"
    assert ok(again, 201)["id"] == ok(other, 201)["id"]
    reused = await buyers[2].post("/v1/conversations", key="one key")
    assert code(reused) == (422, "idempotency_key_reused")
    assert ok(await buyers[1].post("/v1/conversations"), 201)["agent_id"] == agent.id


async def test_a_crowd_loses_nobody_and_overfills_no_agent(platform: Platform) -> None:
    """Three shops at once, with agents who come, go and close, and with commands repeated."""
    crowds = await asyncio.gather(*(Crowd.made(platform, number) for number in range(SHOPS)))
    over = asyncio.Event()
    watching = asyncio.create_task(_overfull(platform, over))

    await asyncio.gather(*(crowd.push() for crowd in crowds))

    over.set()
    assert await watching == set()
    for crowd in crowds:
        await crowd.assert_whole()


class Crowd:
    """The buyers and agents of a shop, all at once."""

    def __init__(self, shop: Shop, chance: Random) -> None:
        self.shop = shop
        self.chance = chance
        self.agents: list[Person] = []
        self.buyers: list[Person] = []
        self.talks: dict[str, set[str]] = {}

    @classmethod
    async def made(cls, platform: Platform, seed: int) -> "Crowd":
        """Open a shop with agents, and let buyers in."""
        crowd = cls(await platform.shop(), Random(seed))
        crowd.agents = [await crowd.shop.staff(capacity=CAPACITY) for _ in range(AGENTS)]
        crowd.buyers = [await crowd.shop.buyer() for _ in range(BUYERS)]
        return crowd

    async def push(self) -> None:
        """Let every buyer open, some of them twice, while agents work."""
        working = [self._work(agent) for agent in self.agents]
        await asyncio.gather(*map(self._come, self.buyers), *working)

    async def _come(self, buyer: Person) -> None:
        keys = self.chance.choice([["a"], ["a", "a"], ["a", "b"]])
        answers = await asyncio.gather(
            *(self._done(partial(buyer.post, "/v1/conversations", key=key)) for key in keys)
        )
        self.talks[buyer.id] = {ok(answer, 201)["id"] for answer in answers}

    async def _done(self, command: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
        """Repeat a command as long as the shop is busy, or the same one under way."""
        while True:
            answer = await command()
            if answer.status_code not in {409, 503}:
                return answer
            await asyncio.sleep(0.05)

    async def _work(self, agent: Person) -> None:
        """Go and come back, and close what one has."""
        for _ in range(2):
            for state in ("break", "online"):
                path, body = "/v1/agents/me/state", {"state": state}
                ok(await self._done(partial(agent.put, path, body)))
            mine = ok(await agent.get("/v1/inbox"))["conversations"]
            for talk in mine[:1]:
                path = f"/v1/conversations/{talk['id']}/close"
                answer = await self._done(partial(agent.post, path))
                assert answer.status_code in {200, 403}, answer.text  # 403: it is a colleague's

    async def assert_whole(self) -> None:
        """Assert that each buyer has one conversation, whose whole story is in the log."""
        assert {buyer for buyer, ids in self.talks.items() if len(ids) == 1} == {
            buyer.id for buyer in self.buyers
        }
        db, shop = self.shop.platform.service.db, ShopId(self.shop.id)
        async with db.read(shop) as session:
            rows = list(await session.execute(_TALKS, {"shop": shop}))
        assert {row.buyer_id: {row.id} for row in rows} == self.talks
        stories = {row.id: [*range(1, row.version + 1)] for row in rows}

        async def told() -> bool:
            async with db.read(shop) as session:
                found = await session.execute(_TOLD, {"shop": shop})
                return {row.id: row.versions for row in found} == stories

        await eventually(told)


async def _overfull(platform: Platform, over: asyncio.Event) -> set[str]:
    """Return the agents who had more than they can take at any look, until it is over."""
    found: set[str] = set()
    while not over.is_set():
        async with platform.service.db.read_across("a test") as session:
            found |= {str(one) for one in (await session.execute(_OVERFULL)).scalars()}
        await asyncio.sleep(0.02)
    return found


def _opens(statements: Sequence[str]) -> bool:
    return any("INSERT INTO conversation.conversations" in one for one in statements)


def _gives(statements: Sequence[str]) -> bool:
    return any("insert into decisions" in one for one in statements)


def _counted(statements: Sequence[str]) -> tuple[int, int]:
    """Return how many statements there are up to the turn, and how many under it."""
    taken = next(number for number, one in enumerate(statements, 1) if TURN in one)
    return taken, len(statements) - taken
