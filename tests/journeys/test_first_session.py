"""The session that `docs/protocol.md` shows, played word by word against a running platform."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.gateway.phone import Frame, Phone
from tests.world import World

pytestmark = pytest.mark.journey

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
ANYTHING: Final = "..."


def played(names: dict[str, str]) -> Iterator[tuple[str, Frame]]:
    """Yield each line of the session: who says it, and the frame with real names in it."""
    _, _, behind = PAGE.read_text().partition("<!-- played -->\n```text\n")
    session, _, _ = behind.partition("```")
    for line in session.splitlines():
        who, _, frame = line.partition(" ")
        for placeholder, name in names.items():
            frame = frame.replace(placeholder, name)
        yield who, json.loads(frame)


def fits(shown: Any, received: Any) -> bool:
    """Tell whether what was received has everything that is shown."""
    if shown == ANYTHING:
        return received is not None
    if isinstance(shown, dict):
        return isinstance(received, dict) and all(
            fits(value, received.get(name)) for name, value in shown.items()
        )
    return bool(shown == received)


async def test_the_first_session_of_the_page_is_what_a_client_sees(world: World) -> None:
    shop = await world.shop()
    await world.agent(shop)
    buyer = await world.visitor(shop)
    opened = await buyer.call("POST", "/v1/conversations", {})
    names = {"TOKEN": buyer.session.token, "CONVERSATION": str(opened["id"])}

    phone = await Phone.dial(world.api.base_url)
    seen: list[int] = []
    lines = list(played(names))
    for who, frame in lines:
        if who == ">":
            phone.say(**frame)
            continue

        def is_next(received: Frame, frame: Frame = frame) -> bool:
            fresh = id(received) not in seen
            return fresh and fits(frame, received)

        seen.append(id(await phone.get(is_next)))
    await phone.close()

    assert {who for who, _ in lines} == {">", "<"}
    told = [frame["t"] for frame in phone.frames]
    joined = [frame["t"] for who, frame in lines if who == "<"][:3]
    assert told[:3] == joined, "a client that follows the page waits for another frame first"
    assert len(seen) == len([who for who, _ in lines if who == "<"]), "a frame answered two lines"
    messages = [f for f in phone.frames if f["t"] == "ev" and f["type"] == "chat.message.v1"]
    assert [f["d"]["d"]["text"] for f in messages] == ["在吗"], "a resend made a second message"
