"""A buyer writes into a conversation that was closed long ago, and has another one open (H30)."""

import pytest

from contracts.conversation import ConversationReopened, LateMessage
from contracts.people import ConversationId, MessageId, PersonId, Role
from tests.integration.gateway.desk import Conversation, Desk
from tests.integration.gateway.phone import Phone

pytestmark = pytest.mark.integration


async def buyer_of(desk: Desk, talk: Conversation) -> tuple[Phone, dict[str, object]]:
    """Return the buyer's phone, subscribed, and what his `sub` was answered."""
    buyer = await desk.phone(talk.buyer_id, Role.BUYER)
    buyer.say(t="sub", id="j", s=f"conv:{talk.id}")
    answer = await buyer.answer("j")
    return buyer, answer["d"]


async def test_what_the_attach_said_is_told_at_the_sub_and_refuses_a_send(desk: Desk) -> None:
    talk = desk.talk(agent=None, version=6, continue_in="elsewhere")
    buyer, told = await buyer_of(desk, talk)
    s = f"conv:{talk.id}"
    buyer.message(s, "在吗", id="aaaaaaaa-1")
    problem = (await buyer.answer("aaaaaaaa-1"))["problem"]

    assert told == {"s": s, "may_send": False, "continue_in": "elsewhere"}
    assert (problem["code"], problem["status"]) == ("conversation_closed", 409)
    assert problem["continue_in"] == "elsewhere"


async def test_who_is_led_nowhere_is_let_through_until_a_late_message_is_seen(desk: Desk) -> None:
    talk = desk.talk(agent=None, version=6)
    buyer, told = await buyer_of(desk, talk)
    s = f"conv:{talk.id}"
    other = await desk.phone("agent-of-the-other")
    other.say(t="sub", id="i", s="inbox")
    await other.of("snap", s="inbox")
    buyer.message(s, "一", id="aaaaaaaa-1")
    assert told == {"s": s, "may_send": True}
    assert await buyer.code("aaaaaaaa-1") is None

    late = LateMessage(
        **desk.base(talk, 7),
        message_id=MessageId("m"),
        continue_in=ConversationId("elsewhere"),
        agent_id=PersonId("agent-of-the-other"),
    )
    await desk.publish(late)
    await buyer.of("ev", s=s, type="conversation.late_message.v1")
    shown = await other.of("ev", s="inbox", conversation_id=talk.id)
    buyer.message(s, "二", id="aaaaaaaa-2")
    buyer.message(s, "一", id="aaaaaaaa-1", again=True)  # it is in the log
    buyer.message(s, "三", id="aaaaaaaa-3")

    assert (shown["version"], shown["d"]["continue_in"]) == (7, "elsewhere")
    assert await buyer.code("aaaaaaaa-2") == "conversation_closed"
    assert await buyer.code("aaaaaaaa-3") == "conversation_closed"
    assert buyer.texts(s) == ["一"]

    again = ConversationReopened(**desk.base(talk, 8), by=PersonId("staff"), reason="staff")
    await desk.publish(again)
    await buyer.of("ev", s=s, type="conversation.reopened.v1")
    buyer.message(s, "四", id="aaaaaaaa-4")
    assert await buyer.code("aaaaaaaa-4") is None
