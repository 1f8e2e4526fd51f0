"""What two leaders change at once: who names the version that he read overwrites nobody."""

import pytest

from tests.integration.conversation.desk import Platform, code, ok

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SITE, OTHER = "https://shop.example", "https://other.example"


async def test_of_two_who_change_a_colleague_the_second_is_told(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff(capacity=8)
    path = f"/v1/staff/{agent.id}"
    (read,) = [
        one for one in ok(await shop.boss.get("/v1/staff"))["items"] if one["id"] == agent.id
    ]

    first = await shop.boss.patch(path, {"capacity": 5}, version=read["version"])
    second = await shop.boss.patch(path, {"capacity": 9, "name": "x"}, version=read["version"])
    anew = await shop.boss.patch(path, {"capacity": 9}, version=ok(first)["version"])
    blind = await shop.boss.patch(path, {"capacity": 3})

    assert first.headers["etag"] == f'"{ok(first)["version"]}"'
    assert code(second) == (412, "stale")
    assert second.json()["current"] == first.headers["etag"]
    assert (ok(anew)["capacity"], ok(anew)["name"]) == (9, agent.login)
    assert ok(blind)["capacity"] == 3


async def test_of_two_who_name_sites_the_second_is_told(platform: Platform) -> None:
    shop = await platform.shop()
    path = f"/v1/shops/{shop.id}/widget"
    read = ok(await shop.boss.get(path))["version"]

    first = ok(await shop.boss.put(path, {"origins": [SITE]}, version=read))
    second = await shop.boss.put(path, {"origins": [OTHER]}, version=read)

    assert code(second) == (412, "stale")
    assert ok(await shop.boss.get(path)) == first
    assert ok(await shop.boss.put(path, {"origins": [OTHER]}, version=first["version"]))


async def test_of_two_who_decide_about_wording_the_second_is_told(platform: Platform) -> None:
    shop = await platform.shop()
    path = f"/v1/shops/{shop.id}"
    read = ok(await shop.boss.get(path))["version"]

    first = await shop.boss.put(f"{path}/wording-policy", {"wording_terms": ["竞品"]}, version=read)
    second = await shop.boss.put(f"{path}/wording-policy", {}, version=read)

    assert code(second) == (412, "stale")
    assert ok(await shop.boss.get(path)) == ok(first)
    assert ok(first)["policy"]["wording_terms"] == ["竞品"]
