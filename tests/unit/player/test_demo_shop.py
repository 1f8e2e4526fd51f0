"""What the player writes before anybody plays: in the demo shop alone, over nobody's choice."""

import random
from typing import Any, Self

import jwt
import pytest
from pydantic import SecretStr
from typing_extensions import override

from kit.text import mask_name
from player.people import Somebody
from player.programme import NEWCOMERS_TOPIC
from player.settings import Settings
from player.shop import (
    DEMO_SHOP,
    EVERY_GROUP,
    NEVER_S,
    Buyers,
    DemoShop,
    NotTheDemo,
    name_of,
)
from rehearsal.api import Api, Session

pytestmark = pytest.mark.unit

SECRET = "0123456789abcdef0123456789abcdef"


class Platform(Api):
    """A platform that answers from memory and keeps what was asked of it."""

    def __init__(self, *, shop_id: str = DEMO_SHOP, overflow_s: int = 20) -> None:
        self.shop_id, self.overflow_s = shop_id, overflow_s
        self.staff = {f"agent{number}@demo": set(EVERY_GROUP) for number in range(1, 9)}
        self.written: list[tuple[str, str, Any]] = []
        self.ended: list[str] = []
        self.page = 200

    @override
    async def sign_in(self, login: str, password: str) -> Session:
        return Session(login, f"token of {login}", f"refresh of {login}")

    @override
    async def call(self, method: str, path: str, **given: Any) -> Any:
        if method != "GET":
            self.written.append((method, path, given.get("body")))
        if path == "/v1/me":
            return {"shop_id": self.shop_id}
        if path == "/v1/sessions/end":
            self.ended.append(given["body"]["refresh_token"])
        if path == "/v1/staff":
            items = [{"id": one, "login": one, "skill_groups": g} for one, g in self.staff.items()]
            return self._page(items, given.get("params") or {})
        if path == "/v1/agents":
            items = [{"id": one, "state": "online"} for one in self.staff]
            return self._page(items, given.get("params") or {})
        return {"overflow_s": self.overflow_s, "secret": SECRET}

    def _page(self, items: list[dict[str, Any]], params: dict[str, str]) -> dict[str, Any]:
        first = int(params.get("cursor", "0"))
        last = first + self.page
        return {"items": items[first:last], "next_cursor": str(last) if last < len(items) else None}

    @classmethod
    def with_choices(cls) -> Self:
        """Return one in whose shop somebody chose waits and groups."""
        made = cls(overflow_s=45)
        made.staff = {"agent1@demo": {"after_sale"}, "agent3@demo": {"pre_sale", "in_sale"}}
        return made


def shop_on(platform: Platform) -> DemoShop:
    password = SecretStr("long-enough")
    settings = Settings(admin_password=password, agent_password=password)
    return DemoShop(platform, settings, rng=random.Random(1))


async def test_newcomers_get_their_topic_for_themselves_and_nobody_overflows() -> None:
    platform = Platform()

    await shop_on(platform).open()

    timing, *groups = platform.written
    assert timing == ("PATCH", f"/v1/shops/{DEMO_SHOP}/timing", {"overflow_s": NEVER_S})
    given = {path.removeprefix("/v1/staff/"): body["skill_groups"] for _, path, body in groups}
    assert given["agent1@demo"] == given["agent2@demo"] == [NEWCOMERS_TOPIC]
    others = [given[f"agent{number}@demo"] for number in range(3, 9)]
    assert sorted(others) == sorted(2 * [["in_sale"], ["after_sale"], ["complaint"]])


async def test_a_shop_of_more_people_than_one_page_holds_is_set_and_seen_whole() -> None:
    platform = Platform()
    platform.page = 3
    shop = shop_on(platform)

    await shop.open()

    assert len([path for _, path, _ in platform.written if path.startswith("/v1/staff/")]) == 8
    assert len(await shop.states()) == 8


async def test_who_ends_the_play_leaves_no_session_of_the_administrator() -> None:
    platform = Platform()
    shop = shop_on(platform)
    await shop.open()

    await shop.leave()
    await shop.leave()

    assert platform.ended == ["refresh of admin@demo"]


async def test_what_somebody_chose_stays() -> None:
    platform = Platform.with_choices()

    await shop_on(platform).open()

    assert platform.written == []


async def test_into_another_shop_nothing_is_written() -> None:
    platform = Platform(shop_id="0913cc6e-0000-8000-8000-000000000000")

    with pytest.raises(NotTheDemo):
        await shop_on(platform).open()

    assert platform.written == []


def test_every_simulated_buyer_says_so_and_has_a_name_of_his_own() -> None:
    everybody = [name_of(number) for number in range(60)]

    assert len(set(everybody)) == len({mask_name(name) for name in everybody}) == 60
    assert all(name.endswith("模拟") for name in everybody)


def test_who_comes_to_the_desk_is_another_than_who_comes_to_colleagues() -> None:
    buyers = Buyers()
    desk = {buyers.next(NEWCOMERS_TOPIC) for _ in range(5)}
    others = [buyers.next("in_sale") for _ in range(5)]

    assert not desk & set(others)
    for number in others:
        buyers.back(number)
    assert buyers.next("in_sale") not in others, "who has rested longest comes next"


async def test_a_colleague_who_cannot_take_his_place_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left: list[str] = []

    async def away(*_: object) -> None:
        raise TimeoutError

    async def leave(one: Somebody) -> None:
        left.append(one.id)

    monkeypatch.setattr(Api, "socket_url", "ws://127.0.0.1:1/v1/ws")
    monkeypatch.setattr(Somebody, "sit_down", away)
    monkeypatch.setattr(Somebody, "leave", leave)

    platform = Platform()
    with pytest.raises(TimeoutError):
        await shop_on(platform).colleague("agent3@demo", lambda *_: None)

    assert left == ["agent3@demo"]
    assert platform.ended == ["refresh of agent3@demo"]


async def test_the_shop_vouches_for_a_buyer_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    platform = Platform()
    seen: list[tuple[str, str]] = []

    async def vouched(shop_id: str, token: str) -> Session:
        seen.append((shop_id, token))
        return Session("buyer", "token", "refresh")

    monkeypatch.setattr(platform, "vouched", vouched)
    monkeypatch.setattr(Api, "socket_url", "ws://127.0.0.1:1/v1/ws")
    shop = shop_on(platform)
    await shop.open()

    buyer = await shop.buyer(4, lambda *_: None)

    ((shop_id, token),) = seen
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    assert (buyer.id, shop_id) == ("buyer", DEMO_SHOP)
    assert (claims["sub"], claims["name"]) == ("simulated-04", name_of(4))
