"""Rows 39, 40 and 43: words and links that a shop, an agent or a buyer slips past the gate."""

import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from contracts.people import Role
from tests.attacks.attacker import Attacker, is_problem
from tests.attacks.costs import costs_less
from tests.integration.gateway.phone import Phone
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import Shop, World

pytestmark = pytest.mark.journey

AT_ONCE_S = 1.0
HELD = {"blocked", "confirm"}


@dataclass
class Talk:
    """An agent and a buyer in one conversation of a shop of their own."""

    shop: Shop
    agent: Phone
    buyer: Phone
    stream: str

    async def says(self, phone: Phone, text: str) -> str | None:
        """Send a text; return the problem's code, or None."""
        name = f"say-{uuid.uuid4()}"
        phone.message(self.stream, text, id=name)
        return await phone.code(name)

    async def policy(self, **policy: Any) -> None:
        """Set the shop's wording policy."""
        path = f"/v1/shops/{self.shop.id}/wording-policy"
        await self.shop.boss.call("PUT", path, policy)


@pytest.fixture
async def talk(world: World, attacker: Attacker) -> Talk:
    """A conversation in a shop whose policy is this test's."""
    shop = await world.shop()
    agent, buyer = await world.agent(shop), await world.buyer(shop)
    talk = await world.talk(buyer, agent)
    phones = [await attacker.phone(one.session.token) for one in (agent, buyer)]
    for phone in phones:
        phone.say(t="sub", id="s", s=f"conv:{talk}")
        assert await phone.code("s") is None
    return Talk(shop, phones[0], phones[1], f"conv:{talk}")


async def test_attack_39_a_shops_pattern_is_read_as_letters_and_costs_nothing(
    talk: Talk, platform: Platform
) -> None:
    evil = ("(qwx+)+$", "(.*)*qwxz", "[[:qwx:]]{1,99999}", "(?P<qwxv>", "((((((((((qwxr*)*)*)*")
    await talk.policy(wording_terms=list(evil))

    async def known() -> bool:
        return await talk.says(talk.agent, "这里有 (qwx+)+$ 一句") in HELD

    await eventually(known, what="the shop's terms at the gateway")

    async def say() -> None:
        assert await talk.says(talk.agent, "qw" * 990 + "!") is None
        assert await talk.says(talk.agent, "有货的亲，今天发货") is None

    assert await costs_less(AT_ONCE_S * 2, say, platform, "gateway")


DISGUISED = {
    "as it is": "你是不是傻逼",
    "full width": "ｓｈａｂｉ",
    "zero width": "傻\u200b逼",
    "spaces": "傻 逼",
    "pinyin": "你shabi吧",
    "traditional": "你個混賬",
    "emoji between": "傻💩逼",
    "leetspeak": "sh@b1",
    "look-alikes": "ѕhаbі",
    "repeated": "傻傻傻逼逼逼",
    "punctuation": "傻。逼",
}
INNOCENT = ("傻瓜相机有货", "这张图很逼真", "垃圾袋和狗粮都有", "充电宝有货", "老婆饼今天发")


async def test_attack_40_a_disguised_insult_is_held_and_a_shop_word_is_not(talk: Talk) -> None:
    for name, text in DISGUISED.items():
        assert await talk.says(talk.agent, text) in HELD, name
    for text in INNOCENT:
        assert await talk.says(talk.agent, text) is None, text
    assert await talk.says(talk.buyer, "这就是最后一句") is None
    await talk.buyer.get(lambda _: len(talk.buyer.texts(talk.stream)) > len(INNOCENT))
    assert talk.buyer.texts(talk.stream) == [*INNOCENT, "这就是最后一句"]


BAD_LINKS = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript:x",
    "file:///etc/passwd",
    "//evil.example/x",
    "/v2/x",
    "/",
    "",
    " https://a.example/x",
    "https://a.example/x y",
    "https://a.example/\\x",
    "ftp://a.example/x",
    "https:",
)


async def test_attack_43_a_link_that_is_no_web_address_is_refused(talk: Talk) -> None:
    for number, url in enumerate(BAD_LINKS):
        name = f"link-{number:04}"
        talk.buyer.say(t="send", id=name, s=talk.stream, kind="image", d={"url": url})
        assert await talk.buyer.code(name) == "bad_frame", url
    talk.buyer.say(
        t="send", id="link-good", s=talk.stream, kind="image", d={"url": "https://a.example/x.png"}
    )
    assert await talk.buyer.code("link-good") is None


async def test_an_agent_decides_on_no_policy(attacker: Attacker, world: World) -> None:
    shop = await world.shop()
    agent = await world.staff(shop, Role.AGENT)
    path = f"/v1/shops/{shop.id}/wording-policy"
    body = {"wording_actions": {"insult": "allow"}}
    is_problem(await attacker.ask("PUT", path, token=agent.session.token, json=body), 403)
