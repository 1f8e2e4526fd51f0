"""A shop, its people and what they see, for tests that stand outside: one word builds each.

Acts through the public REST and WebSocket alone, with the reference client.
"""

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Self

import jwt

from contracts.people import Role
from rehearsal.api import Api, Session
from rehearsal.client import BACKOFF_S, Client
from rehearsal.streams import Answer, Frame
from tests.waiting import PATIENCE_S

PHONE: Final = "13912345678"
"""Of buyers whom a shop vouches for."""


@dataclass
class Person:
    """Somebody with a session and, once `connect` was called, a socket and everything it showed."""

    api: Api
    session: Session
    shop_id: str
    events: list[Frame] = field(default_factory=list)
    states: list[Frame] = field(default_factory=list)
    repeats: list[Frame] = field(default_factory=list)
    _client: Client | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def id(self) -> str:
        """The person's id."""
        return self.session.person_id

    @property
    def client(self) -> Client:
        """The socket."""
        if self._client is None:
            raise RuntimeError("connect first")
        return self._client

    async def connect(self, *streams: str, backoff_s: tuple[float, float] = BACKOFF_S) -> "Person":
        """Open the socket and follow streams."""
        self._client = Client(
            self.api.socket_url,
            self.session.token,
            rng=random.Random(1),
            on_event=lambda _, frame: self._keep(self.events, frame),
            on_repeat=lambda _, frame: self._keep(self.repeats, frame),
            on_state=lambda _, frame: self._keep(self.states, frame),
            backoff_s=backoff_s,
        )
        await self._client.open()
        for stream in streams:
            await self._client.subscribe(stream)
        return self

    async def leave(self) -> None:
        """Close the socket."""
        if self._client is not None:
            await self._client.close()

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the REST API as this person."""
        return await self.api.call(method, path, token=self.session.token, body=body)

    async def say(self, conversation: str, text: str, *, client_id: str = "") -> Answer:
        """Send a text and wait for the final answer."""
        sending = self.client.send(
            f"conv:{conversation}", "text", {"text": text}, client_id=client_id or str(uuid.uuid4())
        )
        async with asyncio.timeout(PATIENCE_S):
            return await sending

    async def sees(self, text: str) -> Frame:
        """Wait until a message with this text is on the screen."""
        return await self.event(lambda frame: _text(frame) == text)

    async def event(self, wanted: Callable[[Frame], bool]) -> Frame:
        """Wait for an event."""
        return await self._wait(self.events, wanted)

    async def state(self, wanted: Callable[[Frame], bool]) -> Frame:
        """Wait for a snapshot or patch."""
        return await self._wait(self.states, wanted)

    def texts(self, conversation: str) -> list[str]:
        """Return the texts on this person's screen of a conversation, in their order."""
        stream = f"conv:{conversation}"
        return [
            text
            for frame in self.events
            if frame.s == stream and (text := _text(frame)) is not None
        ]

    def _keep(self, frames: list[Frame], frame: Frame) -> None:
        frames.append(frame)
        self._changed.set()

    async def _wait(self, frames: list[Frame], wanted: Callable[[Frame], bool]) -> Frame:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self._changed.clear()
                for frame in frames:
                    if wanted(frame):
                        return frame
                await self._changed.wait()


@dataclass
class Shop:
    """A shop of this test's own and its first administrator."""

    id: str
    boss: Person


@dataclass(frozen=True)
class Login:
    """What a member of staff types to sign in."""

    name: str
    password: str


class World:
    """Builds shops and people; `close` ends every socket it opened."""

    def __init__(self, api: Api, admin: Session) -> None:
        self.api, self.admin = api, admin
        self._people: list[Person] = []

    @classmethod
    @asynccontextmanager
    async def of(cls, url: str, admin: tuple[str, str]) -> AsyncIterator[Self]:
        """Have a world on the platform at `url`, whose administrator signs in by `admin`."""
        async with Api(url) as api:
            made = cls(api, await api.sign_in(*admin))
            yield made
            await made.close()

    async def close(self) -> None:
        """End every socket."""
        await asyncio.gather(*(person.leave() for person in self._people))

    async def shop(self, **more: Any) -> Shop:
        """Open a shop."""
        login, password = f"boss.{uuid.uuid4()}", str(uuid.uuid4())
        body = {"name": "旗舰店", "admin_login": login, "admin_password": password}
        made = await self.api.call("POST", "/v1/shops", token=self.admin.token, body=body | more)
        session = await self.api.sign_in(login, password)
        return Shop(made["id"], self.person(session, made["id"]))

    async def hire(self, shop: Shop, role: Role, **more: Any) -> Login:
        """Hire somebody who has not signed in yet."""
        login = Login(f"{role}.{uuid.uuid4()}", str(uuid.uuid4()))
        body = {"login": login.name, "password": login.password, "name": "小陈", "role": role}
        await shop.boss.call("POST", "/v1/staff", body | more)
        return login

    async def staff(self, shop: Shop, role: Role, **more: Any) -> Person:
        """Hire somebody and sign them in."""
        login = await self.hire(shop, role, **more)
        return self.person(await self.api.sign_in(login.name, login.password), shop.id)

    async def agent(self, shop: Shop, **more: Any) -> Person:
        """Hire an agent who is online and watches the inbox."""
        agent = await self.staff(shop, Role.AGENT, **more)
        await agent.connect("inbox")
        await agent.call("PUT", "/v1/agents/me/state", {"state": "online"})
        return agent

    async def supervisor(self, shop: Shop) -> Person:
        """Hire a supervisor who watches the board."""
        supervisor = await self.staff(shop, Role.SUPERVISOR)
        return await supervisor.connect(f"monitor:{shop.id}")

    async def visitor(self, shop: Shop, name: str = "买家") -> Person:
        """Let an anonymous visitor in who has no socket yet."""
        return self.person(await self.api.visit(shop.id, name), shop.id)

    async def buyer(self, shop: Shop, name: str = "买家") -> Person:
        """Let an anonymous visitor in, connected."""
        return await (await self.visitor(shop, name)).connect()

    async def voucher(self, shop: Shop, name: str, external: str) -> str:
        """Return the shop's word for a buyer, by what it calls him."""
        secret = (await shop.boss.call("GET", f"/v1/shops/{shop.id}/secret"))["secret"]
        claims = {"sub": external, "name": name, "phone": PHONE, "exp": int(time.time()) + 300}
        return jwt.encode(claims, secret, algorithm="HS256")

    async def known_buyer(self, shop: Shop, name: str, external: str) -> Person:
        """Let somebody in whom the shop vouches for by what it calls him, connected."""
        token = await self.voucher(shop, name, external)
        return await self.person(await self.api.vouched(shop.id, token), shop.id).connect()

    async def talk(self, buyer: Person, *staff: Person) -> str:
        """Open a conversation and wait until one of `staff` holds it and both sides see it."""
        opened = await buyer.call("POST", "/v1/conversations", {})
        conversation = str(opened["id"])
        await buyer.client.subscribe(f"conv:{conversation}")
        for person in staff:
            await assigned(person, conversation)
            await person.client.subscribe(f"conv:{conversation}")
        return conversation

    def person(self, session: Session, shop_id: str) -> Person:
        """Return somebody whose session is known; `close` ends his socket too."""
        person = Person(self.api, session, shop_id)
        self._people.append(person)
        return person


async def assigned(person: Person, conversation: str) -> Frame:
    """Wait until the inbox says that the conversation is this person's."""
    return await person.event(
        lambda frame: (
            frame.s == "inbox"
            and frame.type == "conversation.assigned.v1"
            and frame.d["conversation_id"] == conversation
            and frame.d["agent_id"] == person.id
        )
    )


async def eventually(look: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool]) -> Any:
    """Look again and again until the result is as wanted. Raises `TimeoutError`."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = await look()
            if wanted(found):
                return found
            await asyncio.sleep(0.1)


async def history(person: Person, conversation: str) -> list[dict[str, Any]]:
    """Return the history of a conversation as this person may read it."""
    path = f"/v1/conversations/{conversation}/messages"
    return [item async for item in person.api.pages(path, token=person.session.token)]


async def archived(person: Person, conversation: str, count: int) -> list[dict[str, Any]]:
    """Wait until the history holds so many chat messages; return them in the order of the log."""

    async def messages() -> list[dict[str, Any]]:
        items = await history(person, conversation)
        chat = [item for item in items if item["type"] == "chat.message.v1"]
        return sorted(chat, key=lambda item: tuple(item["position"]))

    found: list[dict[str, Any]] = await eventually(messages, lambda items: len(items) >= count)
    return found


def _text(frame: Frame) -> str | None:
    if frame.type != "chat.message.v1":
        return None
    return str(frame.d["d"].get("text"))
