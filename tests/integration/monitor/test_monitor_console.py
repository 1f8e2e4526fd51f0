"""What a screen must know of its shop, over REST: whose it is, who may ask, and asking again."""

import httpx2
import pytest

from contracts.people import Role
from tests.integration.monitor.rig import Monitor, Rig, Shop
from tests.waiting import eventually
from tests.web import NO_TLS

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def ask(monitor: Monitor, token: str, etag: str = "") -> httpx2.Response:
    """Ask as somebody who may have an answer already."""
    headers = {"Authorization": f"Bearer {token}", "If-None-Match": etag}
    async with httpx2.AsyncClient(base_url=monitor.addresses.http, verify=NO_TLS) as door:
        return await door.get("/v1/console", headers=headers)


async def told(monitor: Monitor, shop: Shop, name: str) -> httpx2.Response:
    """Return the answer as soon as the shop's entry of that name was read."""

    async def named() -> httpx2.Response | None:
        answer = await ask(monitor, shop.token())
        return answer if answer.json()["shop"]["name"] == name else None

    found = await eventually(named, what="the shop's entry is read")
    assert isinstance(found, httpx2.Response)
    return found


async def test_each_is_told_of_his_own_shop(rig: Rig, monitor: Monitor) -> None:
    ours = await rig.shop().listed(name="旗舰店", profiles=("jd_2021",))
    theirs = await rig.shop().listed(name="专营店", profiles=("pdd",))

    mine, other = await told(monitor, ours, "旗舰店"), await told(monitor, theirs, "专营店")

    assert mine.status_code == 200
    assert mine.json()["shop"] == {"id": ours.id, "name": "旗舰店", "zone": "Asia/Shanghai"}
    assert mine.json()["levels_profile"] == "jd_2021"
    assert mine.json()["profiles"][0]["levels"]["first"] == [10, 20, 30]
    assert other.json()["shop"]["id"] == theirs.id
    assert other.json()["levels_profile"] == "pdd"


async def test_who_has_it_is_told_nothing_until_it_changes(rig: Rig, monitor: Monitor) -> None:
    shop = await rig.shop().listed(name="老店")
    etag = (await told(monitor, shop, "老店")).headers["etag"]

    again = await ask(monitor, shop.token(), etag)
    await shop.listed(name="新店", version=2)
    renamed = await told(monitor, shop, "新店")
    late = await ask(monitor, shop.token(), etag)

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert renamed.headers["etag"] != etag
    assert (late.status_code, late.json()["shop"]["name"]) == (200, "新店")


@pytest.mark.parametrize("role", Role)
async def test_all_staff_may_ask_and_no_buyer(rig: Rig, monitor: Monitor, role: Role) -> None:
    answer = await ask(monitor, rig.shop().token(role, "somebody"))

    assert answer.status_code == (403 if role is Role.BUYER else 200)
