"""Messages through one gateway on the real broker: to the log, to the screens, back to the sender."""

import pytest

from tests.integration.gateway.desk import Desk

pytestmark = pytest.mark.integration


async def test_a_message_reaches_the_other_screen_and_its_sender_gets_ok(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"

    buyer.message(s, "你好，在吗", id="11111111-1")
    answer = await buyer.answer("11111111-1")
    seen = await agent.of("ev", s=s)

    assert answer["t"] == "ok"
    assert answer["d"]["position"] == seen["position"]
    assert answer["d"]["message_id"] == seen["id"]
    assert seen["d"]["d"] == {"text": "你好，在吗"}
    assert (await buyer.of("ev", s=s))["id"] == seen["id"]
