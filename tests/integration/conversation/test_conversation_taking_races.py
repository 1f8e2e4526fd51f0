"""Taking beside everything else that changes an owner: there is one, and nobody is forgotten (F11).

Each race is run many times, some of them side by side, for luck decides which way it goes.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from contracts.conversation import ConversationOpened, Lifecycle, read_lifecycle
from contracts.topics import CHAT
from services.conversation.conversations.following import follow, unknown_here
from services.conversation.presence import registration as presence
from services.conversation.routing import registration as routing
from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import Person, Platform, Shop, code, ok, started
from tests.integration.conversation.shift import buyer_says, open_talk, talk_now
from tests.waiting import eventually

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),
    pytest.mark.parametrize(
        ("shops", "rounds"), [(1, 1), pytest.param(4, 5, marks=pytest.mark.heavy)]
    ),
]
"""What one person may do within a minute is limited: many races are spread over shops."""

SIDE_BY_SIDE = 10
"""So many conversations are raced for at once; five rounds in each of four shops are 200 races."""

DISMISSED = 4
"""So many at once are hired to be dismissed."""

Talk = Mapping[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(settings: SeedSettings) -> AsyncIterator[Platform]:
    """The service; neither presence nor silence takes anybody's buyers meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presence, "LOOK_S", 86_400.0)
        patch.setattr(routing, "SILENCE_LOOK_S", 86_400.0)
        async with started(settings) as running_platform:
            yield running_platform


async def patient(call: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
    """Call again while the shop is busy, as clients do; nothing was done then."""
    while True:
        answer = await call()
        if answer.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
            return answer


async def take(who: Person, talk: Talk, **body: object) -> httpx2.Response:
    path = f"/v1/conversations/{talk['id']}/take"
    return await patient(lambda: who.post(path, body, version=talk["version"]))


async def post(who: Person, talk: Talk, what: str) -> httpx2.Response:
    return await patient(lambda: who.post(f"/v1/conversations/{talk['id']}/{what}"))


async def be(agent: Person, state: str) -> None:
    ok(await patient(lambda: agent.put("/v1/agents/me/state", {"state": state})))


async def now(shop: Shop, talks: Sequence[Talk]) -> list[Talk]:
    return [await talk_now(shop.boss, talk) for talk in talks]


async def waiting(shop: Shop) -> list[Talk]:
    """Return conversations in the queue of a shop where nobody is on duty."""
    return [await open_talk(await shop.buyer()) for _ in range(SIDE_BY_SIDE)]


async def says_the_log(platform: Platform, shop: Shop, talks: Sequence[Talk]) -> None:
    """Wait until the log has all of the shop, and see that it ends where the rows are."""
    rows = await now(shop, talks)

    async def complete() -> dict[str, list[Lifecycle]]:
        told = await _lifecycles(platform, shop)
        newest = {one: max(event.version for event in events) for one, events in told.items()}
        return told if all(newest.get(one["id"]) == one["version"] for one in rows) else {}

    told = await eventually(complete)
    for row in rows:
        opened, *_ = (one for one in told[row["id"]] if isinstance(one, ConversationOpened))
        stands = follow(unknown_here(opened), told[row["id"]])
        assert (stands.state, stands.agent_id, stands.mode) == (
            row["state"],
            row["agent_id"],
            row["mode"],
        )


async def _lifecycles(platform: Platform, shop: Shop) -> dict[str, list[Lifecycle]]:
    reader = platform.service.bus.reader([CHAT.name])
    await reader.start()
    told: dict[str, list[Lifecycle]] = defaultdict(list)
    try:
        ends = await reader.end_offsets(reader.assignment())
        left = {tp for tp, end in ends.items() if end > 0}
        while left:
            for records in (await reader.getmany(200)).values():
                for record in records:
                    headers = dict(record.headers)
                    is_lifecycle = headers.get("ce_type", b"").startswith(Lifecycle.TYPE_PREFIX)
                    if is_lifecycle and headers["ce_shop"] == shop.id.encode():
                        event = read_lifecycle(record)
                        told[event.conversation_id].append(event)
            left = {tp for tp in left if await reader.position(tp) < ends[tp]}
    finally:
        await reader.stop()
    return told


async def test_of_two_who_take_one_has_it_and_the_other_is_told_who(
    platform: Platform, shops: int, rounds: int
) -> None:
    for _ in range(shops):
        shop = await platform.shop()
        first, second = [await shop.staff("supervisor") for _ in range(2)]
        talks = await waiting(shop)

        async def race(talk: Talk, pair: tuple[Person, Person] = (first, second)) -> None:
            for _ in range(rounds):
                answers = await asyncio.gather(*(take(one, talk) for one in pair))
                won, lost = sorted(answers, key=lambda one: one.status_code)
                owner = ok(won)["agent_id"]
                assert ok(won)["version"] == talk["version"] + 1
                assert (*code(lost), lost.json()["agent_id"]) == (412, "stale", owner)
                talk = ok(
                    await post(next(one for one in pair if one.id == owner), talk, "give-back")
                )

        await asyncio.gather(*map(race, talks))
        await says_the_log(platform, shop, talks)


async def test_what_is_taken_while_it_is_closed_ends_closed(
    platform: Platform, shops: int, rounds: int
) -> None:
    for _ in range(shops):
        shop = await platform.shop()
        leader, closer = [await shop.staff("supervisor") for _ in range(2)]
        talks = await waiting(shop)

        async def race(talk: Talk, pair: tuple[Person, Person] = (leader, closer)) -> None:
            for _ in range(rounds):
                answer, closed = await asyncio.gather(
                    take(pair[0], talk), post(pair[1], talk, "close")
                )
                after = ok(closed)
                assert answer.status_code == 200 or code(answer) == (409, "conversation_closed")
                assert (after["state"], after["agent_id"], after["mode"]) == ("closed", None, None)
                talk = ok(await post(pair[1], talk, "reopen"))

        await asyncio.gather(*map(race, talks))
        await says_the_log(platform, shop, talks)


async def test_of_taking_and_routing_one_wins(platform: Platform, shops: int, rounds: int) -> None:
    for _ in range(shops):
        shop = await platform.shop()
        leader = await shop.staff("supervisor")
        agent = await shop.staff(state="suspended", capacity=20)
        talks = await waiting(shop)

        for _ in range(rounds):
            answers, _ = await asyncio.gather(
                asyncio.gather(*(take(leader, talk) for talk in talks)), be(agent, "online")
            )

            after = await now(shop, talks)
            for one, answer in zip(after, answers, strict=True):
                if answer.status_code == httpx2.codes.OK:
                    assert (one["agent_id"], one["mode"]) == (leader.id, "taken")
                else:
                    told = (*code(answer), answer.json()["agent_id"])
                    assert told == (412, "stale", one["agent_id"])
                    assert one["agent_id"] == agent.id
            await be(agent, "suspended")
            owners = {leader.id: leader, agent.id: agent}
            talks = [ok(await post(owners[one["agent_id"]], one, "give-back")) for one in after]
            assert {one["state"] for one in talks} == {"queued"}
        await says_the_log(platform, shop, talks)


async def test_whom_a_leader_takes_from_an_agent_who_goes_away_is_his_or_waits_on(
    platform: Platform, shops: int, rounds: int
) -> None:
    for _ in range(shops):
        shop = await platform.shop()
        leader, agent = await shop.staff("supervisor"), await shop.staff(capacity=20)
        talks = await waiting(shop)
        await asyncio.gather(*(buyer_says(platform, talk, "在吗") for talk in talks))

        for _ in range(rounds):
            talks = await now(shop, talks)
            assert {one["agent_id"] for one in talks} == {agent.id}

            taking = asyncio.gather(*(take(leader, talk, note="我来") for talk in talks))
            answers, _ = await asyncio.gather(taking, be(agent, "offline"))

            after = await now(shop, talks)
            for before, one, answer in zip(talks, after, answers, strict=True):
                assert one["waiting_since"] == before["waiting_since"] is not None
                if answer.status_code == httpx2.codes.OK:
                    assert (one["state"], one["agent_id"]) == ("assigned", leader.id)
                else:
                    assert (*code(answer), answer.json()["agent_id"]) == (412, "stale", None)
                    assert one["state"] == "queued"
            await be(agent, "online")
            for one in after:
                if one["agent_id"] == leader.id:
                    ok(await post(leader, one, "give-back"))
        await says_the_log(platform, shop, talks)


async def test_whoever_is_dismissed_or_demoted_while_he_takes_owns_nobody(
    platform: Platform, shops: int, rounds: int
) -> None:
    for _ in range(shops):
        shop = await platform.shop()
        talks = (await waiting(shop))[:DISMISSED]

        async def race(number: int, talk: Talk, leader: Person, boss: Person = shop.boss) -> None:
            change = {"role": "clerk"} if number % 2 else {"active": False}
            path = f"/v1/staff/{leader.id}"
            answer, changed = await asyncio.gather(
                take(leader, talk), patient(lambda: boss.patch(path, change))
            )
            ok(changed)
            assert answer.status_code in {200, 401, 403}
            after = await talk_now(boss, talk)
            assert (after["state"], after["agent_id"], after["mode"]) == ("queued", None, None)

        for _ in range(rounds):
            leaders = [await shop.staff("supervisor") for _ in talks]
            talks = await now(shop, talks)
            pairs = zip(talks, leaders, strict=True)
            await asyncio.gather(*(race(at, *pair) for at, pair in enumerate(pairs)))
        await says_the_log(platform, shop, talks)
