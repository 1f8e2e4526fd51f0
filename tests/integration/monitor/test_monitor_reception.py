"""How agents receive buyers: found along the log, told, listed, judged and counted (N22-N24)."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.monitor import ReceptionFlagged, ReceptionJudged
from contracts.people import PersonId, Role
from contracts.topics import ALERTS
from tests.integration.monitor.rig import DAY, Monitor, Rig, Shop
from tests.unit.monitor.test_monitor_reception import PLANTED, SPARED, said
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

DAYS = {"from": f"{DAY}", "to": f"{DAY + timedelta(days=1)}"}


async def answer(monitor: Monitor, path: str, token: str, **query: Any) -> dict[str, Any]:
    found = await monitor.get(path, token, **DAYS, **query)
    assert found.status_code == 200, found.text
    body: dict[str, Any] = found.json()
    return body


async def listed(monitor: Monitor, shop: Shop, token: str, **query: Any) -> list[dict[str, Any]]:
    body = await answer(monitor, "/v1/monitor/reception", token, shop=shop.id, **query)
    items: list[dict[str, Any]] = body["items"]
    return items


async def test_n24_planted_dialogues_are_found_listed_and_recomputed(rig: Rig) -> None:
    async with rig.monitor() as monitor:
        shop = await monitor.shop_at_noon()
        wanted: list[tuple[str, str, int]] = []
        for words, found in PLANTED.values():
            chat = await shop.chat().opened()
            await said(*words, (40_000, "idle", ""))(chat)
            wanted += [(chat.id, rule, severity) for rule, (_, severity) in found.items()]
        for words in SPARED.values():
            chat = await shop.chat().opened()
            await said(*words)(chat)
        await rig.folded()

        flags = await listed(monitor, shop, shop.token(), limit=200)
        report = await answer(monitor, "/v1/monitor/reports/reception", shop.token(), shop=shop.id)
        mine = await listed(monitor, shop, shop.token(Role.AGENT, "anne"), limit=200)
        his = await listed(monitor, shop, shop.token(Role.AGENT, "zoe"), limit=200)
    recomputed = await rig.recomputed()

    assert sorted(
        (one["conversation_id"], one["rule"], one["severity"]) for one in flags
    ) == sorted(wanted)
    assert report["whole"]["flags"] == len(wanted)
    assert {row["rule"] for row in report["rows"]} == {rule for _, rule, _ in wanted}
    anne = PersonId(f"{shop.id}-anne")
    assert {one["agent_id"] for one in mine} == {anne}
    assert len(mine) == len([one for one in flags if one["agent_id"] == anne])
    assert his == []
    assert recomputed.different == 0, recomputed.shown
    assert recomputed.compared["reception"] >= len(wanted)


async def test_n23_leaders_are_told_and_what_they_take_back_counts_no_more(rig: Rig) -> None:
    async with rig.watching(ALERTS.name) as seen, rig.monitor() as monitor:
        shop = await monitor.shop_at_noon()
        chat = shop.chat(start=await rig.now())
        await said(*PLANTED["marks, alone"][0])(await chat.opened())
        told = await eventually(
            lambda: [one for one in seen if isinstance(one, ReceptionFlagged)], what="a flag told"
        )
        today = {"from": f"{(await rig.now()).date() - timedelta(days=1)}"}
        query = today | {"to": f"{(await rig.now()).date() + timedelta(days=2)}", "shop": shop.id}

        async def report() -> dict[str, Any]:
            body: dict[str, Any] = (
                await monitor.get("/v1/monitor/reports/reception", shop.token(), **query)
            ).json()
            return body["whole"]  # type: ignore[no-any-return] # a report has sums

        flag, counted = told[0].flag_id, await report()
        path, body = f"/v1/monitor/reception/{flag}/feedback", {"verdict": "not_bad"}
        agent = await monitor.post(path, shop.token(Role.AGENT, "anne"), body)
        still = await report()
        stranger = await monitor.post(path, shop.token(Role.AGENT, "zoe"), body)
        leader = await monitor.post(path, shop.token(), body)
        left = await report()
        file = await monitor.get("/v1/monitor/reports/reception", shop.token(), **query)
        judged = await eventually(
            lambda: [one for one in seen if isinstance(one, ReceptionJudged)][1:],
            what="two opinions",
        )

    assert (told[0].rule, told[0].severity, told[0].agent_id) == (
        "marks", 2, f"{shop.id}-anne",
    )  # fmt: skip
    assert told[0].conversation_id == chat.id
    assert (agent.status_code, stranger.status_code, leader.status_code) == (200, 404, 200)
    assert (counted["flags"], still["flags"], left["flags"]) == (1, 1, 0)
    assert (left["judged"], left["not_bad"]) == (1, 1)
    assert (judged[0].flag_id, judged[0].verdict) == (flag, "not_bad")
    assert file.status_code == 200
