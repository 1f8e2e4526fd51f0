"""The demo shop as the player finds and sets it, by the public API alone.

It is the one shop that is written to: whoever signs in is asked which shop he is of, and nothing
else is done before the answer is the demo's. What somebody chose himself in it stays as it is.
"""

import random
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import jwt

from contracts.conversation import Timing
from kit.ids import derived_id
from player.people import OnFrame, Somebody
from player.programme import NEWCOMERS_TOPIC, shares
from player.settings import Settings
from player.trade import Sales
from rehearsal.api import Api, ApiRefused, Session

DEMO_SHOP: Final = derived_id("shop", "demo")

ADMINISTRATOR: Final = "admin@demo"
NEWCOMERS: Final = ("agent1@demo", "agent2@demo")
"""The logins that are printed; nobody signs in by them but who reads them."""
COLLEAGUES: Final = tuple(f"agent{number}@demo" for number in range(3, 9))

EVERY_GROUP: Final = frozenset({"pre_sale", "in_sale", "after_sale", "complaint"})
"""The groups of an agent whom nobody has given others."""

NEVER_S: Final = 86_400
"""The longest that a shop can say: else a colleague would take a newcomer's own buyer from the
queue after 20 s."""

BUYER: Final = "simulated-"
"""So begin the shop's own ids of simulated buyers."""

MARK: Final = "·模拟"
"""So end their names on every screen."""

TOKEN_S: Final = 300

_SURNAMES: Final = (
    "陈林黄张李王吴刘蔡杨许郑谢郭洪曾邱廖赖徐周叶苏庄吕江何萧罗高"
    "潘简朱钟彭游詹胡施沈余卢梁赵颜柯翁魏孙戴范方宋邓杜傅侯曹薛丁"
)
"""One for each buyer: of a masked name only its first and its last character are seen."""
_TITLES: Final = ("女士", "先生", "同学")
_BUYERS: Final = len(_SURNAMES)


class NotTheDemo(Exception):
    """The platform has other people behind the demo's logins: nothing is written there."""


@dataclass(slots=True)
class Buyers:
    """Whom the shop knows as its simulated buyers; who has rested longest comes next.

    Those for people at the desk are others than those for colleagues: who comes back within
    minutes goes on in his old conversation, and so with whom he had.
    """

    _rested: dict[bool, deque[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Line them up: every third is for people at the desk."""
        self._rested = {
            True: deque(number for number in range(_BUYERS) if number % 3 == 0),
            False: deque(number for number in range(_BUYERS) if number % 3),
        }

    def next(self, topic: str) -> int:
        """Return the number of a buyer who is not here. Raises `IndexError` if all are."""
        return self._rested[topic == NEWCOMERS_TOPIC].popleft()

    def back(self, number: int) -> None:
        """He has gone and may come again, behind all others."""
        self._rested[number % 3 == 0].append(number)


def name_of(number: int) -> str:
    """Return what people see of a simulated buyer."""
    return f"{_SURNAMES[number]}{_TITLES[number % 3]}{MARK}"


class DemoShop:
    """Who may come in, and what is set before anybody does."""

    def __init__(self, api: Api, settings: Settings, *, rng: random.Random) -> None:
        self._api, self._settings, self._rng = api, settings, rng
        self._admin: Session | None = None
        self._secret = ""
        self._sales: Sales | None = None

    async def open(self) -> None:
        """Sign the administrator in and set what the play needs. Raises `NotTheDemo`."""
        self._admin = await self._sign_in(ADMINISTRATOR, self._settings.admin_password)
        await self._set_timing()
        await self._set_groups()
        shown = await self._ask("GET", f"/v1/shops/{DEMO_SHOP}/secret")
        self._secret = str(shown["secret"])
        intake = await self._ask("GET", f"/v1/intake/{DEMO_SHOP}/secret")
        self._sales = Sales(self._api, DEMO_SHOP, str(intake["secret"]))

    async def renew(self) -> None:
        """Trade the administrator's session for a fresh one."""
        if self._admin is not None:
            self._admin = await self._api.renew(self._admin)

    async def leave(self) -> None:
        """End the administrator's session. Raises `ApiRefused`."""
        admin, self._admin = self._admin, None
        if admin is not None:
            await self._api.end(admin)

    async def colleague(self, login: str, heard: OnFrame) -> Somebody:
        """Let a simulated colleague come and take buyers; who cannot leaves nothing open."""
        session = await self._sign_in(login, self._settings.agent_password)
        one = Somebody(self._api, session, rng=self._rng, heard=heard)
        async with AsyncExitStack() as undone:
            undone.push_async_callback(one.sign_out)
            await one.sit_down("inbox")
            await one.call("PUT", "/v1/agents/me/state", {"state": "online"})
            undone.pop_all()
        return one

    async def buyer(self, number: int, heard: OnFrame) -> Somebody:
        """Let a simulated buyer come in; the shop vouches for him."""
        claims = {
            "sub": _external(number),
            "name": name_of(number),
            "exp": int(time.time()) + TOKEN_S,
        }
        token = jwt.encode(claims, self._secret, algorithm="HS256")
        session = await self._api.vouched(DEMO_SHOP, token)
        return Somebody(self._api, session, rng=self._rng, heard=heard)

    async def sell(self, number: int) -> None:
        """See to it that a simulated buyer has bought something; what was told before stays.

        Raises as a request does.
        """
        if self._sales is not None:
            name = name_of(number)
            await self._sales.tell(number, external_id=_external(number), name=name)

    async def states(self) -> Mapping[str, str]:
        """Return the state of every agent of the shop, by his id."""
        found = self._api.pages("/v1/agents", token=self._token)
        return {one["id"]: one["state"] async for one in found}

    async def left_behind(self) -> Sequence[str]:
        """Return the open conversations of simulated buyers: a player before this one died."""
        ours = {_id_of(number) for number in range(_BUYERS)}
        pages = [
            self._api.pages("/v1/conversations", token=self._token, params={"state": state})
            for state in ("queued", "assigned")
        ]
        return [one["id"] for page in pages async for one in page if one["buyer_id"] in ours]

    async def close(self, conversation: str) -> None:
        """Close one of these; that it is closed already, or gone, is as good."""
        try:
            await self._ask("POST", f"/v1/conversations/{conversation}/close", {})
        except ApiRefused:
            return

    async def _set_timing(self) -> None:
        path = f"/v1/shops/{DEMO_SHOP}/timing"
        now = await self._ask("GET", path)
        if now["overflow_s"] == Timing().overflow_s:
            await self._ask("PATCH", path, {"overflow_s": NEVER_S})

    async def _set_groups(self) -> None:
        """Leave the newcomers' topic to them, unless somebody gave a person other groups."""
        wanted = dict.fromkeys(NEWCOMERS, NEWCOMERS_TOPIC) | shares(COLLEAGUES)
        staff = [one async for one in self._api.pages("/v1/staff", token=self._token)]
        for one in staff:
            if one["login"] in wanted and EVERY_GROUP.issubset(one["skill_groups"]):
                groups = {"skill_groups": [wanted[one["login"]]]}
                await self._ask("PATCH", f"/v1/staff/{one['id']}", groups)

    async def _sign_in(self, login: str, password: Any) -> Session:
        session = await self._api.sign_in(login, password.get_secret_value())
        me = await self._api.call("GET", "/v1/me", token=session.token)
        if me["shop_id"] != DEMO_SHOP:
            raise NotTheDemo(f"{login} is of another shop than the demo's")
        return session

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return await self._api.call(method, path, token=self._token, body=body)

    @property
    def _token(self) -> str:
        if self._admin is None:
            raise RuntimeError("open the shop first")
        return self._admin.token


def _external(number: int) -> str:
    return f"{BUYER}{number:02d}"


def _id_of(number: int) -> str:
    """Return a buyer's id, which follows from the shop's own."""
    return derived_id("buyer", DEMO_SHOP, _external(number))
