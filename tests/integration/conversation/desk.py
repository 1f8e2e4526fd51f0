"""What tests do to the conversation service: people, shops and messages, all through its doors."""

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import jwt
import pytest

from contracts.base import Event
from contracts.gateway import ChatMessage, Connected, PresenceReported
from contracts.people import ConversationId, PersonId, Role, SenderKind, ShopId
from kit import postgres
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Position, Producer, message_of
from kit.clock import Clock, SystemClock
from kit.ids import Ids, derived_id
from kit.process import Addresses, running
from kit.settings import DEVELOPMENT_PRIVATE_KEY
from kit.web.auth import Passwords, ServiceTokens
from services.conversation.administrator import founding_on
from services.conversation.app import ConversationService
from services.conversation.seed import SeedSettings, seed
from tests.waiting import PATIENCE_S
from tests.web import NO_TLS

PASSWORD = "correct horse battery"


@asynccontextmanager
async def started(
    settings: SeedSettings, *, clock: Clock | None = None, passwords: Passwords | None = None
) -> AsyncIterator["Platform"]:
    """Run the service, on its own clock and with its own passwords if they are given."""
    bus = KafkaBus(settings.bootstrap_servers, prefix=settings.kafka_topic_prefix)
    cheap = passwords or Passwords(memory_kib=64, rounds=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres, "POOL_TIMEOUT_S", PATIENCE_S)  # a crowd is served, however slowly
        service = ConversationService(settings, bus, clock=clock or SystemClock(), passwords=cheap)
    founding = founding_on(service.db, settings, clock=service.clock, passwords=cheap)
    await seed(founding, settings)
    async with (
        running(service.app()) as addresses,
        httpx2.AsyncClient(timeout=2 * PATIENCE_S, verify=NO_TLS) as client,
    ):
        producer = bus.producer()
        await producer.start()
        try:
            platform = Platform(service, addresses, client, producer)
            await platform.sign_in_admin()
            yield platform
        finally:
            await producer.stop()


@dataclass
class Person:
    """Somebody with a session."""

    platform: "Platform"
    id: str
    token: str
    refresh_token: str
    shop_id: str
    login: str = ""

    async def get(self, path: str, **params: Any) -> httpx2.Response:
        """GET as this person."""
        return await self.platform.call("GET", path, self.token, params=params)

    async def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        version: int | None = None,
    ) -> httpx2.Response:
        """POST as this person, under a fresh idempotency key unless one is given."""
        return await self.platform.call(
            "POST", path, self.token, body=body or {}, key=key, version=version
        )

    async def put(
        self, path: str, body: Mapping[str, Any], *, version: int | None = None
    ) -> httpx2.Response:
        """PUT as this person."""
        return await self.platform.call("PUT", path, self.token, body=body, version=version)

    async def patch(
        self, path: str, body: Mapping[str, Any], *, version: int | None = None
    ) -> httpx2.Response:
        """PATCH as this person."""
        return await self.platform.call("PATCH", path, self.token, body=body, version=version)

    async def be(self, state: str) -> None:
        """Set one's own state."""
        ok(await self.put("/v1/agents/me/state", {"state": state}))


@dataclass
class Shop:
    """A shop of its own for one test."""

    platform: "Platform"
    id: str
    secret: str
    boss: Person
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def staff(self, role: str = "agent", state: str | None = "online", **wish: Any) -> Person:
        """Hire somebody; agents come online."""
        login = f"{role}{next(self._numbers)}.{self.id}"
        body = {"login": login, "password": PASSWORD, "name": login, "role": role} | wish
        ok(await self.boss.post("/v1/staff", body), 201)
        person = await self.platform.sign_in(login)
        if role == "agent" and state is not None:
            await person.be(state)
        return person

    async def buyer(self, external_id: str | None = None, **claims: Any) -> Person:
        """Let a buyer in by the shop's word; a claim that is None is left out."""
        number = external_id or f"b{next(self._numbers)}"
        expires = self.platform.service.clock.now() + timedelta(hours=1)
        content = {"sub": number, "name": f"买家{number}", "exp": int(expires.timestamp())} | claims
        said = {name: value for name, value in content.items() if value is not None}
        token = jwt.encode(said, self.secret, algorithm="HS256")
        body = {"shop_id": self.id, "token": token}
        return self.platform.person(
            ok(await self.platform.call("POST", "/v1/sessions/buyer", body=body), 201)
        )


@dataclass
class Platform:
    """The running service and how to reach it."""

    service: ConversationService
    addresses: Addresses
    client: httpx2.AsyncClient
    producer: Producer
    admin: Person | None = None

    async def call(
        self,
        method: str,
        path: str,
        token: str | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        key: str | None = None,
        address: str | None = None,
        version: int | None = None,
    ) -> httpx2.Response:
        """Call the public interface, from an address and about a version if they are given."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        if address is not None:
            headers["x-forwarded-for"] = address
        if method == "POST":
            headers["idempotency-key"] = key or self.service.ids.new()
        return await self.client.request(
            method, self.addresses.http + path, json=body, params=params, headers=headers
        )

    async def refresh(self, token: str) -> httpx2.Response:
        """Ask for fresh tokens by a refresh token."""
        return await self.call("POST", "/v1/sessions/refresh", body={"refresh_token": token})

    async def internal(self, path: str, **params: Any) -> httpx2.Response:
        """Call the admin port as the gateway does."""
        url = self.addresses.admin + path
        return await self.client.get(url, params=params, headers=self._as_gateway)

    async def internal_post(self, path: str, body: Mapping[str, Any]) -> httpx2.Response:
        """Ask for more on the admin port than an address holds."""
        url = self.addresses.admin + path
        return await self.client.post(url, json=body, headers=self._as_gateway)

    @property
    def _as_gateway(self) -> dict[str, str]:
        tokens = ServiceTokens(DEVELOPMENT_PRIVATE_KEY, "gateway", self.service.clock)
        return {"authorization": f"Bearer {tokens.current()}"}

    async def sign_in_admin(self) -> None:
        """Sign in as the platform's administrator."""
        self.admin = await self.sign_in("admin")

    async def sign_in(self, login: str, password: str = PASSWORD) -> Person:
        """Sign in as staff."""
        body = {"login": login, "password": password}
        person = self.person(ok(await self.call("POST", "/v1/sessions", body=body), 201))
        person.login = login
        return person

    def person(self, session: Mapping[str, Any]) -> Person:
        """Return whoever a session belongs to."""
        who = session["person"]
        return Person(self, who["id"], session["token"], session["refresh_token"], who["shop_id"])

    async def shop(self) -> Shop:
        """Open a fresh shop."""
        assert self.admin is not None
        login = f"boss.{self.service.ids.new()}"
        wish = {"name": "店", "admin_login": login, "admin_password": PASSWORD}
        made = ok(await self.admin.post("/v1/shops", wish), 201)
        return Shop(self, made["id"], made["secret"], await self.sign_in(login))

    async def say(
        self,
        conversation: Mapping[str, Any],
        text: str,
        *,
        kind: SenderKind = SenderKind.BUYER,
        **changed: Any,
    ) -> tuple[ChatMessage, Position]:
        """Put a message into the log, as a gateway would."""
        now = self.service.clock.now()
        event = message(
            conversation, text, kind=kind, ids=self.service.ids, **{"time": now} | changed
        )
        return event, await self.producer.send(message_of(event))

    async def publish(self, event: Event) -> Position:
        """Put any event onto its topic."""
        return await self.producer.send(message_of(event))

    async def report(self, *people: Person, at: datetime | None = None) -> None:
        """Report who is connected, as a gateway would."""
        event = PresenceReported(
            id=self.service.ids.new(),
            time=at or self.service.clock.now(),
            shop_id=ShopId("platform"),
            gateway_id="gateway-1",
            people=tuple(
                Connected(person_id=PersonId(one.id), shop_id=ShopId(one.shop_id), role=Role.AGENT)
                for one in people
            ),
        )
        await self.publish(event)


def message(
    conversation: Mapping[str, Any], text: str, *, kind: SenderKind, ids: Ids, **changed: Any
) -> ChatMessage:
    """Return a chat message of the buyer, or of the owner."""
    sender = conversation["buyer_id"] if kind is SenderKind.BUYER else conversation["agent_id"]
    client_id = changed.pop("client_id", ids.new())
    fields: dict[str, Any] = {
        "id": derived_id("message", conversation["id"], sender or "", client_id),
        "time": datetime.now(UTC),
        "shop_id": ShopId(conversation["shop_id"]),
        "conversation_id": ConversationId(conversation["id"]),
        "sender_id": PersonId(sender or ""),
        "sender_kind": kind,
        "client_id": client_id,
        "kind": "text",
        "d": {"text": text},
        "body_hash": derived_id(text).replace("-", ""),
    }
    return ChatMessage(**fields | changed)


def ok(answer: httpx2.Response, status: int = 200) -> dict[str, Any]:
    """Return the body of an answer that must have succeeded."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    body: dict[str, Any] = answer.json()
    return body


def code(answer: httpx2.Response) -> tuple[int, str]:
    """Return the status and slug of a problem."""
    return answer.status_code, answer.json()["code"]
