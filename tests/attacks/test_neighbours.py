"""What one visitor, one agent or one guesser does costs the others nothing."""

import asyncio
import time
import uuid
from collections import Counter

import pytest

from contracts.frames import TEXT_CHARS
from contracts.people import Role
from tests.attacks.attacker import Attacker, is_problem
from tests.attacks.cast import Cast
from tests.integration.gateway.phone import Phone
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import World

pytestmark = pytest.mark.journey

SIX_CHARACTERS = "\\u0000"
"""What a visitor types: a backslash and five more, not the character that they stand for."""

POISONS = 25
"""More than what made a group halt."""

ALLOWED = 10


async def test_a_visitor_who_types_an_escape_halts_nobody(world: World, platform: Platform) -> None:
    shop = await world.shop()
    supervisor = await world.supervisor(shop)
    agent, buyer = await world.agent(shop), await world.buyer(shop)
    talk = await world.talk(buyer, agent)
    for number in range(POISONS):
        assert (await buyer.say(talk, f"{SIX_CHARACTERS} {number}")).code is None
    assert (await agent.say(talk, "在的")).code is None

    await supervisor.state(
        lambda frame: isinstance(frame.d, dict) and frame.d.get("messages") == POISONS + 1
    )

    async def archived() -> bool:
        path = f"/v1/conversations/{talk}/messages?limit=200"
        items = (await buyer.call("GET", path))["items"]
        texts = [one["d"]["d"]["text"] for one in items if one["type"] == "chat.message.v1"]
        return sum(SIX_CHARACTERS in text for text in texts) == POISONS

    await eventually(archived, what="all of it in the history")
    assert platform.is_ready("monitor")


async def test_an_agents_long_texts_hold_up_nobody(
    attacker: Attacker, world: World, cast: Cast
) -> None:
    shop = await world.shop()
    agent, buyer = await world.agent(shop), await world.buyer(shop)
    stream = f"conv:{await world.talk(buyer, agent)}"
    writer = await attacker.phone(agent.session.token)
    writer.say(t="sub", id="s", s=stream)
    assert await writer.code("s") is None
    other = await attacker.phone(cast.theirs.token(Role.AGENT))

    text = ("亲，您好，傻瓜相机逼真有货" * 200)[:TEXT_CHARS]
    for number in range(20):
        writer.message(stream, text, id=f"long-{number:03}")
    waits = [await _waits(other) for _ in range(20)]

    assert sorted(waits)[-3] < 0.5


async def test_guesses_at_once_are_no_more_than_guesses_in_turn(
    attacker: Attacker, cast: Cast, world: World, platform: Platform
) -> None:
    login, password = f"agent.{uuid.uuid4()}", str(uuid.uuid4())
    body = {"login": login, "password": password, "name": "小陈", "role": "agent"}
    await cast.ours.shop(world).boss.call("POST", "/v1/staff", body)
    wrong = {"login": login, "password": "these words are wrong"}

    answers = await asyncio.gather(
        *(attacker.ask("POST", "/v1/sessions", json=wrong) for _ in range(30))
    )

    counted = Counter(answer.status_code for answer in answers)
    assert set(counted) <= {401, 429, 503}
    assert counted[401] <= ALLOWED
    elsewhere = Attacker(platform.url)
    right = {"login": login, "password": password}
    answer = await elsewhere.ask("POST", "/v1/sessions", json=right)
    await elsewhere.close()
    if attacker.address != "127.0.0.1":
        assert answer.status_code == 201, "who guesses locks the owner out"


async def test_a_policy_that_lets_insults_pass_needs_a_reason_and_known_words(
    attacker: Attacker, world: World
) -> None:
    shop = await world.shop()
    path, token = f"/v1/shops/{shop.id}/wording-policy", shop.boss.session.token
    for policy in (
        {"wording_actions": {"insult": "allow"}},
        {"wording_actions": {"insults": "block"}},
        {"wording_actions": {"insult": "shout"}},
        {"profiles": ["no_such_profile"]},
    ):
        is_problem(await attacker.ask("PUT", path, token=token, json=policy), 422)


async def _waits(phone: Phone) -> float:
    begun = time.monotonic()
    mark = uuid.uuid4().hex
    phone.say(t="ping", ts=mark)
    await phone.of("pong", ts=mark)
    return time.monotonic() - begun


async def test_an_id_in_another_spelling_is_no_second_conversation(
    attacker: Attacker, cast: Cast
) -> None:
    ours = cast.ours
    phone = await attacker.phone(ours.token(Role.BUYER))
    told = ours.conversation
    for number, other in enumerate((told.upper(), told.replace("-", ""), told.title())):
        phone.say(t="sub", id=f"s{number}", s=f"conv:{other}")
        assert await phone.code(f"s{number}") == "bad_stream"
        client_id = str(uuid.uuid4())
        phone.message(f"conv:{other}", "在吗", id=client_id)
        assert await phone.code(client_id) == "not_subscribed"
    phone.say(t="sub", id="told", s=f"conv:{told}")
    assert await phone.code("told") is None
