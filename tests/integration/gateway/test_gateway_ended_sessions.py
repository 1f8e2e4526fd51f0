"""A session that was ended: its sockets are closed, its token opens nothing more."""

from typing import Any

import httpx2
import pytest

from contracts.conversation import SessionEnded
from contracts.frames import CloseCode
from contracts.people import PersonId
from tests.integration.gateway.desk import SHOP, Desk
from tests.web import NO_TLS

pytestmark = pytest.mark.integration

HELLO: dict[str, Any] = {"t": "hello", "v": 1}


async def test_an_ended_session_closes_its_sockets_and_leaves_those_of_others(desk: Desk) -> None:
    here, elsewhere, old = [desk.token("a", sid=sid) for sid in ("here", "elsewhere", "")]
    phones = [await desk.dial() for _ in range(4)]
    for phone, token in zip(phones, (here, here, elsewhere, old), strict=True):
        phone.say(**HELLO, token=token)
        await phone.of("ready")
    now = desk.service.clock.now()
    await desk.publish(
        SessionEnded(
            id="e", time=now, shop_id=SHOP, sid="here", subject=PersonId("a"), ended_at=now
        )
    )

    for phone in phones[:2]:
        assert await phone.close_code(within=5) == CloseCode.REVOKED
    for phone in phones[2:]:
        phone.say(t="ping", ts=1)
        await phone.of("pong")
    async with httpx2.AsyncClient(verify=NO_TLS) as web:
        headers = {"Authorization": f"Bearer {here}"}
        answer = await web.get(f"{desk.url}/v1/conversations", headers=headers)
    assert answer.status_code == 401
