"""Row 10 where a browser signs in: the refresh token stands in a cookie, which pages cannot read.

A cookie is sent whoever asks, so who asks is looked at.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie
from typing import Final

import httpx2
import pytest

from contracts.frames import CloseCode
from tests.attacks.attacker import Attacker, is_problem
from tests.attacks.cast import Cast
from tests.world import World

pytestmark = pytest.mark.journey

ASKED_BY_A_PAGE: Final = {"X-PeakDesk": "1"}


@dataclass
class Browser:
    """A browser with pages of this door open; keeps cookies as browsers do, by name and path."""

    attacker: Attacker

    def __post_init__(self) -> None:
        self.kept: dict[tuple[str, str], Morsel[str]] = {}

    @property
    def origin(self) -> str:
        """Of the pages of this door."""
        return self.attacker.url.rstrip("/")

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str | None] | None = None,
    ) -> httpx2.Response:
        """Ask as a page of this door does, but for other `headers`; None leaves one out."""
        wanted = {"Origin": self.origin, **ASKED_BY_A_PAGE, "Cookie": self._cookies(path)}
        changed = {**wanted, **(headers or {})}
        sent = {name: value for name, value in changed.items() if value}
        answer = await self.attacker.ask(method, path, headers=sent, json=body)
        for line in answer.headers.get_list("set-cookie"):
            # An attribute that this Python does not know, and without a value.
            for name, one in SimpleCookie(line.removesuffix("; Partitioned")).items():
                self.kept[name, one["path"]] = one
                if one["max-age"] == "0":
                    del self.kept[name, one["path"]]
        return answer

    def _cookies(self, path: str) -> str:
        return "; ".join(
            f"{name}={one.value}"
            for (name, where), one in self.kept.items()
            if path == where or path.startswith(f"{where}/")
        )


@pytest.fixture
def browser(attacker: Attacker) -> Browser:
    """A browser in which nobody is signed in."""
    return Browser(attacker)


@pytest.fixture
async def logins(world: World, cast: Cast) -> list[Mapping[str, str]]:
    """Two people's logins and passwords."""
    shop = cast.ours.shop(world)
    made: list[Mapping[str, str]] = []
    for role in ("agent", "supervisor"):
        said = {"login": f"{role}.{uuid.uuid4()}", "password": str(uuid.uuid4())}
        await shop.boss.call("POST", "/v1/staff", {**said, "name": "小陈", "role": role})
        made.append(said)
    return made


def slot(number: int | str, what: str = "") -> str:
    """Return the path of a slot, or of what is done with it."""
    return f"/v1/sessions/slots/{number}{what}"


async def test_a_session_goes_on_without_its_token_ever_being_shown_to_a_page(
    browser: Browser, logins: list[Mapping[str, str]]
) -> None:
    begun = await browser.ask("POST", slot(0), logins[0])

    assert begun.status_code == 201
    assert set(begun.json()) == {"token", "expires_at", "person"}
    [cookie] = browser.kept.values()
    assert cookie["path"] == slot(0)
    assert cookie["httponly"]
    assert cookie["samesite"] == "strict"
    assert cookie.value not in begun.text

    renewed = await browser.ask("POST", slot(0, "/refresh"))

    assert renewed.status_code == 200
    assert renewed.json()["person"] == begun.json()["person"]
    [fresh] = browser.kept.values()
    assert fresh.value != cookie.value
    token = renewed.json()["token"]
    assert (await browser.attacker.ask("GET", "/v1/me", token=token)).status_code == 200


async def test_two_people_share_one_browser_and_stay_who_they_are(
    browser: Browser, logins: list[Mapping[str, str]]
) -> None:
    people = []
    for number, login in enumerate(logins):
        people.append((await browser.ask("POST", slot(number), login)).json()["person"])

    for _ in range(2):
        for number, person in enumerate(people):
            renewed = await browser.ask("POST", slot(number, "/refresh"))
            assert renewed.json()["person"] == person

    assert (await browser.ask("DELETE", slot(0))).status_code == 204
    is_problem(await browser.ask("POST", slot(0, "/refresh")), 401, "signed_out")
    stays = await browser.ask("POST", slot(1, "/refresh"))
    assert stays.json()["person"] == people[1]


async def test_signing_out_ends_this_session_alone_and_its_token_renews_nothing(
    browser: Browser, logins: list[Mapping[str, str]]
) -> None:
    begun = (await browser.ask("POST", slot(0), logins[0])).json()
    phone = await browser.attacker.phone(begun["token"])
    elsewhere = Browser(browser.attacker)
    await elsewhere.ask("POST", slot(0), logins[0])
    stolen = dict(browser.kept)

    assert (await browser.ask("DELETE", slot(0))).status_code == 204

    assert await phone.close_code() == CloseCode.REVOKED
    refused = await browser.attacker.ask("GET", "/v1/me", token=begun["token"])
    assert refused.status_code == 401
    assert browser.kept == {}
    browser.kept = stolen
    is_problem(await browser.ask("POST", slot(0, "/refresh")), 401, "bad_token")
    assert browser.kept == {}
    assert (await elsewhere.ask("POST", slot(0, "/refresh"))).status_code == 200


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"Origin": "https://evil.example"}, "bad_origin"),
        ({"Origin": "null"}, "bad_origin"),
        ({"Origin": None}, "bad_origin"),
        ({"X-PeakDesk": None}, "no_page"),
        ({"X-PeakDesk": "0"}, "no_page"),
        ({"Origin": "http://evil.example", "Host": "evil.example"}, "bad_origin"),
    ],
)
async def test_a_foreign_page_does_nothing_with_the_cookie_of_a_browser(
    browser: Browser,
    logins: list[Mapping[str, str]],
    headers: Mapping[str, str | None],
    refusal: str,
) -> None:
    await browser.ask("POST", slot(3), logins[0])
    kept = dict(browser.kept)

    for method, path, body in (
        ("POST", slot(3), logins[1]),
        ("POST", slot(3, "/refresh"), None),
        ("DELETE", slot(3), None),
    ):
        is_problem(await browser.ask(method, path, body, headers=headers), 403, refusal)

    assert browser.kept == kept
    assert (await browser.ask("POST", slot(3, "/refresh"))).status_code == 200


async def test_a_cookie_of_another_slot_or_of_nobody_opens_nothing(
    browser: Browser, logins: list[Mapping[str, str]]
) -> None:
    await browser.ask("POST", slot(0), logins[0])
    [cookie] = browser.kept.values()
    other = {"Cookie": f"{cookie.key}={cookie.value}"}

    is_problem(await browser.ask("POST", slot(1, "/refresh"), headers=other), 401, "signed_out")
    made_up = {"Cookie": f"{cookie.key}=made-up"}
    is_problem(await browser.ask("POST", slot(0, "/refresh"), headers=made_up), 401, "bad_token")
    is_problem(await browser.ask("POST", slot(10), logins[0]), 422)


async def test_a_wrong_password_leaves_who_is_signed_in(
    browser: Browser, logins: list[Mapping[str, str]]
) -> None:
    begun = await browser.ask("POST", slot(0), logins[0])

    wrong = await browser.ask("POST", slot(0), {**logins[0], "password": "another one"})

    is_problem(wrong, 401, "wrong_login")
    renewed = await browser.ask("POST", slot(0, "/refresh"))
    assert renewed.json()["person"] == begun.json()["person"]


async def test_a_reload_that_asks_twice_goes_on_with_either_answer(
    browser: Browser, logins: list[Mapping[str, str]]
) -> None:
    await browser.ask("POST", slot(0), logins[0])
    before = dict(browser.kept)
    await browser.ask("POST", slot(0, "/refresh"))
    browser.kept = before
    await browser.ask("POST", slot(0, "/refresh"))

    assert (await browser.ask("POST", slot(0, "/refresh"))).status_code == 200


async def test_a_visit_is_kept_for_one_shop_in_a_frame_and_nowhere_else(
    browser: Browser, world: World, cast: Cast
) -> None:
    ours = cast.ours.shop(world).id
    theirs = cast.theirs.shop(world).id

    begun = await browser.ask("POST", slot(f"w{ours}"), {"name": "过客"})

    assert begun.status_code == 201
    assert set(begun.json()) == {"token", "expires_at", "person"}
    person = begun.json()["person"]
    assert (person["role"], person["shop_id"]) == ("buyer", ours)
    [cookie] = browser.kept.values()
    assert cookie["path"] == slot(f"w{ours}")
    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["samesite"] == "none"
    assert begun.headers["set-cookie"].endswith("; Partitioned")
    assert cookie.value not in begun.text

    renewed = await browser.ask("POST", slot(f"w{ours}", "/refresh"))
    assert renewed.json()["person"] == person
    other = {"Cookie": f"{cookie.key}={cookie.value}"}
    elsewhere = await browser.ask("POST", slot(f"w{theirs}", "/refresh"), headers=other)
    is_problem(elsewhere, 401, "signed_out")

    assert (await browser.ask("DELETE", slot(f"w{ours}"))).status_code == 204
    assert browser.kept == {}


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"Origin": "https://evil.example"}, "bad_origin"),
        ({"Origin": "null"}, "bad_origin"),
        ({"Origin": None}, "bad_origin"),
        ({"X-PeakDesk": None}, "no_page"),
    ],
)
async def test_a_page_around_a_frame_does_nothing_with_the_visit_in_it(
    browser: Browser,
    world: World,
    cast: Cast,
    headers: Mapping[str, str | None],
    refusal: str,
) -> None:
    here = f"w{cast.ours.shop(world).id}"
    begun = await browser.ask("POST", slot(here), {})
    kept = dict(browser.kept)

    for method, path, body in (
        ("POST", slot(here), {}),
        ("POST", slot(here, "/refresh"), None),
        ("DELETE", slot(here), None),
    ):
        is_problem(await browser.ask(method, path, body, headers=headers), 403, refusal)

    assert browser.kept == kept
    renewed = await browser.ask("POST", slot(here, "/refresh"))
    assert renewed.json()["person"] == begun.json()["person"]


@pytest.mark.parametrize("shop", ["nobody", "platform"])
async def test_nobody_visits_what_is_no_shop(browser: Browser, shop: str) -> None:
    is_problem(await browser.ask("POST", slot(f"w{shop}"), {}), 404, "not_found")
    assert browser.kept == {}


@pytest.mark.parametrize("shop", ["", "a.b", "a" * 65, "a;b"])
async def test_what_cannot_be_a_shop_is_no_slot(browser: Browser, shop: str) -> None:
    answer = await browser.ask("POST", slot(f"w{shop}"), {})

    assert answer.status_code in {404, 422}
    assert browser.kept == {}


async def test_a_word_of_the_shop_lets_its_buyer_in_and_a_made_up_one_nobody(
    browser: Browser, world: World, cast: Cast
) -> None:
    here = slot(f"w{cast.ours.shop(world).id}")

    is_problem(await browser.ask("POST", here, {"token": "made.up.word"}), 401, "bad_token")
    is_problem(await browser.ask("POST", here, {"role": "admin"}), 422)
    assert browser.kept == {}
