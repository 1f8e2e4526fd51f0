"""What a shop's leaders decide about wording: only what exists, and insults for a reason alone."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from profiles import SHIPPED
from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import Platform, code, ok, started

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize(
    "policy",
    [
        {"wording_actions": {"rudeness": "block"}},
        {"wording_actions": {"insult": "shout"}},
        {"wording_actions": {"Insult": "block"}},
        {"profiles": ["taobao_2099"]},
        {"profiles": ["qiyu"], "reason": ""},
        {"reason": "x" * 201},
        {"reason": "a\u0000b"},
    ],
)
async def test_a_wording_policy_names_only_what_exists(
    platform: Platform, policy: dict[str, Any]
) -> None:
    shop = await platform.shop()
    path = f"/v1/shops/{shop.id}"

    refused = await shop.boss.put(f"{path}/wording-policy", policy)

    assert refused.status_code == 422
    assert ok(await shop.boss.get(path))["policy"] == {}


async def test_which_profile_is_none_is_said_by_its_place(platform: Platform) -> None:
    shop = await platform.shop()
    policy = {"profiles": ["qiyu", "taobao_2099"]}

    refused = await shop.boss.put(f"/v1/shops/{shop.id}/wording-policy", policy)

    assert code(refused) == (422, "invalid")
    (fault,) = refused.json()["errors"]
    assert fault["pointer"] == "#/profiles/1"
    assert "taobao_2022" in fault["detail"]
    assert "taobao_2099" not in fault["detail"]


async def test_what_a_policy_names_several_times_is_kept_once(platform: Platform) -> None:
    shop = await platform.shop()
    policy = {
        "profiles": ["qiyu", "jd_2021", "qiyu"],
        "wording_terms": ["滚一边去", "滚一边去"],
        "allow_spans": ["傻瓜相机", "傻瓜相机"],
        "reason": "goods are called so",
    }

    kept = ok(await shop.boss.put(f"/v1/shops/{shop.id}/wording-policy", policy))["policy"]

    assert kept["profiles"] == ["qiyu", "jd_2021"]
    assert (kept["wording_terms"], kept["allow_spans"]) == (["滚一边去"], ["傻瓜相机"])


async def test_a_shop_is_measured_by_a_profile_of_the_house_s_own_folder(
    settings: SeedSettings, tmp_path: Path
) -> None:
    qiyu = (SHIPPED / "qiyu.toml").read_text(encoding="utf-8")
    folder = shutil.copytree(SHIPPED, tmp_path / "profiles")
    (folder / "own_night.toml").write_text(qiyu.replace('"qiyu"', '"own_night"'), encoding="utf-8")
    own = settings.model_copy(update={"profiles_folder": str(folder)})

    async with started(own) as platform:
        shop = await platform.shop()
        path = f"/v1/shops/{shop.id}/wording-policy"
        shown = ok(await shop.boss.put(path, {"profiles": ["own_night", "qiyu"]}))
        refused = await shop.boss.put(path, {"profiles": ["own_day"]})

    assert shown["policy"]["profiles"] == ["own_night", "qiyu"]
    assert refused.status_code == 422


async def test_insults_are_allowed_only_for_a_reason_that_is_kept(platform: Platform) -> None:
    shop = await platform.shop()
    leader = await shop.staff("supervisor")
    path = f"/v1/shops/{shop.id}/wording-policy"
    policy = {"wording_actions": {"insult": "allow"}, "profiles": ["qiyu", "kuaimai"]}

    for missing in ({}, {"reason": None}, {"reason": "  "}, {"reason": "\u200b\u3164\u2800"}):
        assert code(await leader.put(path, policy | missing)) == (422, "reason_missing")
    shown = ok(await leader.put(path, policy | {"reason": "相声剧场，台词里有"}))
    ok(await leader.put(path, {"wording_actions": {"insult": "confirm"}}))

    assert shown["policy"]["wording_actions"] == {"insult": "allow"}
    assert shown["policy"]["profiles"] == ["qiyu", "kuaimai"]
    assert "reason" not in shown["policy"]
    assert await _audit(platform, shop.id) == [
        (leader.id, "shop.abuse_allowed", "相声剧场，台词里有"),
        (leader.id, "shop.wording_policy_set", ""),
    ]


@pytest.mark.parametrize(
    "policy",
    [
        {"wording_actions": {"threat": "allow"}},
        {"wording_actions": {"insult": "warn"}},
        {"wording_actions": {"discrimination": "log"}},
        {"allow_spans": ["“傻逼”"]},
        {"allow_spans": ["微信支付", "傻逼"]},
        {"allow_spans": ["你是傻.逼"]},
    ],
)
async def test_abuse_passes_in_no_other_way_without_a_reason(
    platform: Platform, policy: dict[str, Any]
) -> None:
    shop = await platform.shop()
    path = f"/v1/shops/{shop.id}/wording-policy"

    refused = await shop.boss.put(path, policy)
    ok(await shop.boss.put(path, policy | {"reason": "剧本杀，台词里有"}))

    assert code(refused) == (422, "reason_missing")
    assert [(action, why) for _, action, why in await _audit(platform, shop.id)] == [
        ("shop.abuse_allowed", "剧本杀，台词里有")
    ]


async def _audit(platform: Platform, shop_id: str) -> list[tuple[str, str, str]]:
    async with platform.service.db.read_across("a test") as session:
        rows = await session.execute(
            text(
                "select actor_id, action, note from audit"
                " where shop_id = :shop and action like 'shop.%' order by at"
            ),
            {"shop": shop_id},
        )
        return [(str(row.actor_id), row.action, row.note) for row in rows]
