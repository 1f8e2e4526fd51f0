"""Rows 59 and 60: words of an attacker in logs and labels."""

import asyncio
import re
import secrets

import pytest

from contracts.people import Role
from tests.attacks import watching
from tests.attacks.attacker import Attacker, head
from tests.attacks.cast import Cast
from tests.platform import Platform

pytestmark = pytest.mark.journey

LINE_LIMIT = 4_096
"""Characters of any log line: the longest legitimate ones have a tenth."""


async def test_attack_59_what_is_sent_makes_no_line_of_its_own_in_a_log(
    attacker: Attacker, cast: Cast, platform: Platform
) -> None:
    logs, mark = watching.Logs(platform), f"mark{secrets.token_hex(6)}"
    token = cast.ours.token(Role.AGENT)
    forged = '{"event": "forged", "level": "error"}'
    nasty = (
        f"%0d%0a{forged}",
        "%0aevent=forged",
        "%1b[31mred%1b[0m%07",
        "%25s%25n%25x%7b0%7d%24%7bjndi:x%7d",
        "%e2%80%a8line",
        "%c2%85next",
        "x" * 1_000,
    )
    for words in nasty:
        await attacker.ask("GET", f"/v1/orders/{mark}{words}", token=token)
        await attacker.ask("GET", f"/{mark}{words}")
        await attacker.ask("GET", "/v1/inbox", token=token, params={mark: words})
    await attacker.ask("POST", "/v1/sessions", json={"login": f"a\r\n{forged}", "password": mark})
    await attacker.ask("POST", "/v1/sessions", json={"login": "a" * 1_000_000, "password": mark})
    await attacker.ask("GET", "/v1/inbox", headers={"User-Agent": "x" * 8_000, "X-Mark": mark})
    await attacker.ask("GET", "/v1/inbox", headers={"traceparent": f"00-{mark}-{forged}"})
    phone = await attacker.phone(token)
    phone.say(t=f"x\n{forged}", id="a\x1b[31m")
    await phone.of("err")
    await asyncio.sleep(0.5)  # logs are written behind the answer

    for service in watching.NAMES:
        for line in logs.lines(service):
            assert line.get("event") != "forged", service
        text = logs.text(service)
        assert not {"\x1b", "\r", "\x07", "\u2028", "\x85"} & set(text)
        assert max(map(len, text.splitlines() or [""])) <= LINE_LIMIT
        assert token.split(".")[2] not in text
    assert mark in logs.text("gateway")


async def test_attack_60_no_label_holds_what_somebody_sent(
    attacker: Attacker, cast: Cast, platform: Platform
) -> None:
    token, mark = cast.ours.token(Role.AGENT), f"m{secrets.token_hex(5)}"

    async def attack() -> None:
        for number in range(20):
            word = f"{mark}{number}"
            await attacker.ask("GET", f"/v1/{word}", token=token)
            await attacker.ask("GET", f"/{word}")
            await attacker.ask("GET", f"/v1/orders/{word}", token=token)
            await attacker.ask("POST", "/v1/sessions/visitor", json={"shop_id": word})
            await attacker.ask("POST", f"/v1/intake/{word}/orders", json={})
            await attacker.exchange(head(f"{word.upper()} / HTTP/1.1"))
            await attacker.ask("GET", f"/v1/monitor/board?shop={word}", token=token)
        phone = await attacker.phone(token)
        for number in range(20):
            phone.say(t=f"{mark}{number}", id=f"{mark}{number}")
            await phone.answer(f"{mark}{number}")

    before = _series(platform)
    await attack()
    once = _series(platform)
    await attack()
    again = _series(platform)

    assert not [one for found in again.values() for one in found if mark in one.lower()]
    known = set((await attacker.ask("GET", "/openapi.json")).json()["paths"])
    for service in watching.NAMES:
        # Others attack the same platform meanwhile, and may be the first on a route of ours.
        made = _routes(again[service]) - _routes(once[service])
        assert {one for one in made if not one.startswith("/internal/")} <= known, service
        assert len(once[service] - before[service]) < 600


def _routes(series: set[str]) -> set[str]:
    return {found[1] for one in series if (found := re.search(r'route="([^"]*)"', one))}


def _series(platform: Platform) -> dict[str, set[str]]:
    return {name: set(watching.metrics(platform, name)) for name in watching.NAMES}
