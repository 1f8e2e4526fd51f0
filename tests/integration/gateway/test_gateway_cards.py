"""Cards on a running gateway: staff offer what may be pressed, buyers say what they pressed."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.gateway.desk import Conversation, Desk, memory_bus, opened
from tests.integration.gateway.phone import Phone

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

ORDER = {"card": "order", "v": 1, "ref": "o1", "text": "订单 T0042"}
ACTION = {
    "id": "confirm_address",
    "label": "地址没错",
    "route": "/v1/orders/o1/address-confirmation",
}


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    """A gateway on a bus in memory."""
    async with opened(memory_bus()) as found:
        yield found


def shows(phone: Phone, talk: Conversation, card: dict[str, Any], *, number: int = 1) -> str:
    """Send a card; return its client id."""
    frame_id = f"99999999-{number}"
    phone.say(t="send", id=frame_id, s=f"conv:{talk.id}", kind="card", d=card)
    return frame_id


async def test_a_card_reaches_the_buyer_and_his_answer_names_it(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    card = {**ORDER, "actions": [ACTION]}

    await agent.answer(shows(agent, talk, card))
    seen = await buyer.of("ev", s=f"conv:{talk.id}", type="chat.message.v1")
    said = {**ORDER, "text": "地址没错", "answers": seen["id"], "action": "confirm_address"}
    await buyer.answer(shows(buyer, talk, said, number=2))

    assert (seen["d"]["kind"], seen["d"]["d"]) == ("card", card)
    told = await agent.get(lambda one: one["t"] == "ev" and one["d"].get("sender_kind") == "buyer")
    assert told["d"]["d"] == said


async def test_a_buyer_offers_nothing_and_staff_answer_nothing(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    pressed = {**ORDER, "answers": "m1", "action": "confirm_address"}

    forged = await buyer.answer(shows(buyer, talk, {**ORDER, "actions": [ACTION]}))
    feigned = await agent.answer(shows(agent, talk, pressed, number=2))
    led = {**ORDER, "actions": [ACTION | {"route": "/v1/orders/o1/close"}]}
    led_away = await agent.answer(shows(agent, talk, led, number=3))

    codes = [one["problem"]["code"] for one in (forged, feigned, led_away)]
    assert codes == ["forbidden", "forbidden", "bad_frame"]


async def test_the_words_of_a_card_are_judged_as_all_words_are(desk: Desk) -> None:
    talk = desk.talk()
    _, agent = await desk.pair(talk)

    answer = await agent.answer(shows(agent, talk, {**ORDER, "text": "爱买不买"}))

    assert answer["t"] == "err"
    assert answer["problem"]["code"] in {"blocked", "confirm"}
