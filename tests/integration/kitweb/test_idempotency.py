"""A keyed command takes effect once, whatever is repeated, raced or reused (rows 34 to 36, H25)."""

import asyncio
from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

import httpx2
import pytest
import structlog
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from sqlalchemy import text

from kit import keyed, tables
from kit.clock import SystemClock
from kit.errors import Conflict
from kit.postgres import Database
from kit.web.app import Body, create_app
from kit.web.auth import KeyPair, TokenIssuer, TokenVerifier, generate_keypair
from kit.web.idempotency import KEY_LIMIT, REPLAYED, IdempotencyKey, VersionedKey
from tests.infrastructure import TestDatabase

pytestmark = pytest.mark.integration

TIMEOUT_S = 20
SCHEMA = "idempotency_test"


class Charge(Body):
    amount_fen: int


class Charged(BaseModel):
    version: int
    amount_fen: int


@pytest.fixture
async def db(database: TestDatabase, pg_dsn: str) -> AsyncIterator[Database]:
    """A database with the idempotency table and one table of effects."""
    opened = Database(pg_dsn, schema=SCHEMA, pool_size=12)
    metadata = tables.metadata(SCHEMA)
    tables.idempotency(metadata)
    async with opened.write_across("a test") as session:
        await session.execute(text(f"create schema {SCHEMA}"))
        await session.execute(text("create table charges (number serial, amount_fen bigint)"))
        await (await session.connection()).run_sync(metadata.create_all)
    yield opened
    async with opened.write_across("a test") as session:
        await session.execute(text(f"drop schema {SCHEMA} cascade"))
    await opened.close()


class Gate:
    """Holds commands between their effect and their commit."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture(scope="module")
def keys() -> KeyPair:
    return generate_keypair()


@pytest.fixture
def app(db: Database, gate: Gate, keys: KeyPair) -> FastAPI:
    router = APIRouter()

    @router.post("/shops/{shop}/charges", status_code=201)
    async def charge(shop: str, body: Charge, key: VersionedKey) -> Charged:
        async with db.keyed(key) as command:
            inserted = await command.session.execute(
                text("insert into charges (amount_fen) values (:fen) returning number"),
                {"fen": body.amount_fen},
            )
            gate.reached.set()
            await gate.open.wait()
            if body.amount_fen < 0:
                raise Conflict
            charged = Charged(version=inserted.scalar_one(), amount_fen=body.amount_fen)
            return await command.keep(charged)

    @router.post("/forgetful")
    async def forgetful(key: IdempotencyKey) -> None:
        async with db.keyed(key) as command:
            await command.session.execute(text("insert into charges (amount_fen) values (1)"))

    clock = SystemClock()
    verifier = TokenVerifier(keys.public, clock)
    return create_app(title="t", version="1", routers=[router], clock=clock, verifier=verifier)


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk") as client:
        yield client


class Payer:
    """Somebody who charges."""

    def __init__(self, client: httpx2.AsyncClient, keys: KeyPair) -> None:
        self._client = client
        self._issuer = TokenIssuer(keys.private, SystemClock())

    async def charge(
        self, key: str | None, fen: int = 100, *, who: str = "a1", shop: str = "s1", path: str = ""
    ) -> httpx2.Response:
        token = self._issuer.issue(subject=who, role="agent", shop_id=shop, name="")
        headers = {"authorization": f"Bearer {token}"}
        if key is not None:
            headers["idempotency-key"] = key
        url = path or "/shops/1/charges"
        return await self._client.post(url, json={"amount_fen": fen}, headers=headers)


@pytest.fixture
def payer(client: httpx2.AsyncClient, keys: KeyPair) -> Payer:
    return Payer(client, keys)


async def effects(db: Database) -> int:
    async with db.read_across("a test") as session:
        return int((await session.execute(text("select count(*) from charges"))).scalar_one())


async def test_a_repeat_gets_the_first_answer(payer: Payer, db: Database) -> None:
    first = await payer.charge("k1")
    again = await payer.charge('"k1"')
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first.headers["etag"] == again.headers["etag"]
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert await effects(db) == 1


async def test_fifty_at_once_have_one_effect(payer: Payer, db: Database) -> None:
    answers = await asyncio.gather(*(payer.charge("k1") for _ in range(50)))
    fresh = [answer for answer in answers if answer.status_code == 201]
    assert sum(REPLAYED not in answer.headers for answer in fresh) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in fresh}) == 1
    assert await effects(db) == 1


async def test_in_flight_is_answered_at_once(payer: Payer, db: Database, gate: Gate) -> None:
    gate.open.clear()
    first = asyncio.create_task(payer.charge("k1"))
    await asyncio.wait_for(gate.reached.wait(), TIMEOUT_S)
    second = await asyncio.wait_for(payer.charge("k1"), TIMEOUT_S)
    assert second.status_code == 409
    assert second.json()["code"] == "idempotency_in_flight"
    assert second.headers["retry-after"] == "1"
    gate.open.set()
    assert (await first).status_code == 201
    assert (await payer.charge("k1")).headers[REPLAYED] == "true"
    assert await effects(db) == 1


async def test_a_key_belongs_to_one_request(payer: Payer, db: Database) -> None:
    await payer.charge("k1", 100)
    for other in (payer.charge("k1", 101), payer.charge("k1", path="/shops/2/charges")):
        answer = await other
        assert answer.status_code == 422
        assert answer.json()["code"] == "idempotency_key_reused"
    assert await effects(db) == 1


async def test_keys_of_other_people_and_shops_are_their_own(payer: Payer, db: Database) -> None:
    for who, shop in (("a1", "s1"), ("a2", "s1"), ("a1", "s2")):
        answer = await payer.charge("k1", who=who, shop=shop)
        assert answer.status_code == 201
        assert REPLAYED not in answer.headers
    assert await effects(db) == 3


async def test_a_failed_command_leaves_its_key_free(payer: Payer, db: Database) -> None:
    assert (await payer.charge("k1", -1)).status_code == 409
    assert await effects(db) == 0
    assert (await payer.charge("k1", 100)).status_code == 201


async def test_a_command_that_keeps_no_answer_has_no_effect(payer: Payer, db: Database) -> None:
    assert (await payer.charge("k1", path="/forgetful")).status_code == 500
    assert await effects(db) == 0


@pytest.mark.parametrize(
    "key", [None, "", '""', '"', "x" * (KEY_LIMIT + 1), "x" * 10_240, "a\tb", 'a"b', "a\x01"]
)
async def test_a_key_that_is_none_is_refused(payer: Payer, db: Database, key: str | None) -> None:
    answer = await payer.charge(key)
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_idempotency_key"
    assert await effects(db) == 0


async def test_a_key_is_free_again_after_a_day(payer: Payer, db: Database) -> None:
    await payer.charge("k1")
    await payer.charge("k2")
    async with db.write_across("a test") as session:
        age = "update idempotency set created_at = now() - interval '24 hours 1 second'"
        await session.execute(text(age))
    answer = await payer.charge("k1", 200)
    assert answer.json()["amount_fen"] == 200
    assert REPLAYED not in answer.headers
    async with db.write_across("a test") as session:
        assert await keyed.forget(session) == 1
    assert (await payer.charge("k1", 200)).headers[REPLAYED] == "true"
