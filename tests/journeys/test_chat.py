"""A buyer and an agent talk, through the public door alone."""

from typing import Any

import pytest

from rehearsal.api import ApiRefused
from rehearsal.streams import Frame
from tests import noon
from tests.world import Person, World, archived, assigned, eventually

pytestmark = pytest.mark.journey


async def test_a_buyer_is_answered_and_both_see_the_same(world: World) -> None:
    shop = await world.shop()
    agent, buyer = await world.agent(shop), await world.buyer(shop)
    talk = await world.talk(buyer, agent)

    asked = await buyer.say(talk, "在吗，这件有货吗")
    await agent.sees("在吗，这件有货吗")
    answered = await agent.say(talk, "有货的亲")
    await buyer.sees("有货的亲")

    assert (asked.code, answered.code) == (None, None)
    stored = await archived(agent, talk, 2)
    assert [item["d"]["d"]["text"] for item in stored] == ["在吗，这件有货吗", "有货的亲"]
    assert buyer.texts(talk) == agent.texts(talk) == ["在吗，这件有货吗", "有货的亲"]


async def test_the_same_client_id_sent_twice_is_one_message(world: World) -> None:
    shop = await world.shop()
    agent, buyer = await world.agent(shop), await world.buyer(shop)
    talk = await world.talk(buyer, agent)

    first = await buyer.say(talk, "只说一次", client_id="same-id-0001")
    again = await buyer.say(talk, "只说一次", client_id="same-id-0001")

    assert first.message_id == again.message_id
    assert len(await archived(buyer, talk, 1)) == 1


async def test_the_same_client_id_with_another_text_is_a_conflict(world: World) -> None:
    shop = await world.shop()
    agent, buyer = await world.agent(shop), await world.buyer(shop)
    talk = await world.talk(buyer, agent)

    await buyer.say(talk, "第一句", client_id="same-id-0002")
    other = await buyer.say(talk, "另一句", client_id="same-id-0002")

    await buyer.sees("第一句")
    assert other.code == "conflict"
    assert buyer.texts(talk) == ["第一句"]


async def test_an_insult_is_kept_from_the_buyer_and_leaves_evidence(world: World) -> None:
    shop = await world.shop()
    agent, buyer = await world.agent(shop), await world.buyer(shop)
    supervisor = await world.supervisor(shop)
    talk = await world.talk(buyer, agent)

    refused = await agent.say(talk, "你是不是傻逼啊")
    await agent.say(talk, "不好意思，这就给您查")
    await buyer.sees("不好意思，这就给您查")

    assert refused.code == "blocked"
    assert buyer.texts(talk) == ["不好意思，这就给您查"]

    async def incidents() -> list[dict[str, Any]]:
        path, query = "/v1/monitor/incidents", {"shop": shop.id}
        pages = world.api.pages(path, token=supervisor.session.token, params=query)
        return [item async for item in pages]

    [incident] = await eventually(incidents, bool)
    assert incident["text"] == "你是不是傻逼啊"
    assert incident["agent_id"] == agent.id
    assert incident["conversation_id"] == talk


async def test_a_rude_buyer_is_delivered_and_flagged(world: World) -> None:
    shop = await world.shop()
    agent, buyer = await world.agent(shop), await world.buyer(shop)
    supervisor = await world.supervisor(shop)
    talk = await world.talk(buyer, agent)

    said = await buyer.say(talk, "你们是不是一群废物")
    await agent.sees("你们是不是一群废物")

    async def flags() -> list[dict[str, Any]]:
        path, query = "/v1/monitor/flags", {"shop": shop.id}
        pages = world.api.pages(path, token=supervisor.session.token, params=query)
        return [item async for item in pages]

    [flag] = await eventually(flags, bool)
    assert (flag["message_id"], flag["speaker"]) == (said.message_id, "buyer")


async def test_a_client_that_lost_its_connection_sees_what_it_missed_once(world: World) -> None:
    shop = await world.shop()
    agent, buyer = await world.agent(shop), await world.buyer(shop)
    talk = await world.talk(buyer, agent)
    await agent.say(talk, "第一条")
    await buyer.sees("第一条")

    buyer.client.drop()
    for number in range(5):
        await agent.say(talk, f"断线时的第{number}条")
    await buyer.sees("断线时的第4条")

    assert buyer.texts(talk) == ["第一条", *(f"断线时的第{number}条" for number in range(5))]
    assert buyer.client.connects == 2


async def test_a_transfer_needs_a_note_and_moves_the_seat(world: World) -> None:
    shop = await world.shop()
    first, buyer = await world.agent(shop), await world.buyer(shop)
    talk = await world.talk(buyer, first)
    second = await world.agent(shop)

    with pytest.raises(ApiRefused) as refusal:
        await first.call(
            "POST", f"/v1/conversations/{talk}/transfer", {"to_agent": second.id, "note": " "}
        )
    await first.call(
        "POST", f"/v1/conversations/{talk}/transfer", {"to_agent": second.id, "note": "要开发票"}
    )

    assert refusal.value.status == 422
    await second.event(lambda frame: _is_transfer_to(frame, second.id))
    await second.client.subscribe(f"conv:{talk}")
    assert (await second.say(talk, "您好，发票我来处理")).code is None
    await buyer.sees("您好，发票我来处理")


async def test_a_message_after_the_close_reopens_the_conversation(world: World) -> None:
    shop = await world.shop()
    agent, buyer = await world.agent(shop), await world.buyer(shop)
    talk = await world.talk(buyer, agent)
    await buyer.say(talk, "先这样")
    await agent.call("POST", f"/v1/conversations/{talk}/close", {"reason": "settled"})
    await buyer.event(lambda frame: frame.type == "conversation.closed.v1")

    await buyer.say(talk, "还有个问题")

    await buyer.event(lambda frame: frame.type == "conversation.reopened.v1")
    await agent.event(
        lambda frame: frame.type == "conversation.assigned.v1" and frame.d["version"] > 3
    )


async def test_the_oldest_waiting_buyer_is_served_first_when_an_agent_comes_online(
    world: World,
) -> None:
    shop = await world.shop()
    early, late = await world.buyer(shop), await world.buyer(shop)
    first, second = await world.talk(early), await world.talk(late)

    agent = await world.agent(shop, capacity=1)

    await assigned(agent, first)
    await agent.call("POST", f"/v1/conversations/{first}/close", {"reason": "settled"})
    await assigned(agent, second)


async def test_nobody_sees_another_shops_conversation(world: World) -> None:
    ours, theirs = await world.shop(), await world.shop()
    agent, buyer = await world.agent(ours), await world.buyer(ours)
    talk = await world.talk(buyer, agent)
    stranger = await world.agent(theirs)

    refused: dict[str, int] = {}
    for name in (talk, "00000000-0000-7000-8000-000000000000"):
        with pytest.raises(ApiRefused) as refusal:
            await stranger.call("GET", f"/v1/conversations/{name}")
        refused[name] = refusal.value.status

    assert set(refused.values()) == {404}


async def test_the_board_shows_a_waiting_buyer_and_the_answer(world: World) -> None:
    zone = noon.zone()
    shop = await world.shop(time_zone=zone)
    supervisor = await world.supervisor(shop)
    await eventually(lambda: _zone_of_figures(supervisor), lambda known: known == zone)
    agent, buyer = await world.agent(shop), await world.buyer(shop)
    talk = await world.talk(buyer, agent)

    await buyer.say(talk, "有人吗")
    await supervisor.state(lambda frame: _board(frame, "waiting") == 1)
    await agent.say(talk, "在的")

    await supervisor.state(lambda frame: _board(frame, "waiting") == 0 and _rounds(frame) == 1)


def _is_transfer_to(frame: Frame, agent: str) -> bool:
    return (
        frame.s == "inbox"
        and frame.type == "conversation.transferred.v1"
        and frame.d["to_agent_id"] == agent
    )


async def _zone_of_figures(person: Person) -> str:
    """Return the time zone in which the monitor counts the days of a person's shop."""
    day = "&from=2026-11-11&to=2026-11-12"
    path = f"/v1/monitor/figures?shop={person.shop_id}&profile=qiyu{day}"
    return str((await person.call("GET", path))["time_zone"])


def _board(frame: Frame, name: str) -> Any:
    return frame.d.get(name) if isinstance(frame.d, dict) else None


def _rounds(frame: Frame) -> int:
    figures = {row["profile"]: row for row in frame.d["figures"]}
    return int(figures["qiyu"]["rounds"])
