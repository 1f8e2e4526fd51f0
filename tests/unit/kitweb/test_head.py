"""What a request's headers may not be: repeated where one is meant, or bytes that nobody agrees on.

H41 and H42: two readers of one request must never believe different headers.
"""

import httpx2
import pytest

from kit.clock import ManualClock
from kit.web.auth import KeyPair, TokenIssuer
from kit.web.head import HeaderNotAscii, RepeatedHeader, check_singletons
from tests.unit.kitweb.sample import JSON, bearer, problem

pytestmark = pytest.mark.unit

SINGLETONS = (
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
)


@pytest.mark.parametrize("name", SINGLETONS)
async def test_a_header_that_has_one_meaning_comes_once(
    client: httpx2.AsyncClient, name: str
) -> None:
    for second in ("a", "b"):
        answer = await client.get("/v1/things/7", headers=[(name, "a"), (name.title(), second)])
        shown = problem(answer, 400, "repeated_header")
        assert shown["detail"] == f"The header {name} is repeated."


@pytest.mark.parametrize("name", [name for name in SINGLETONS if name != "authorization"])
async def test_a_header_that_is_compared_byte_by_byte_is_ascii(
    client: httpx2.AsyncClient, name: str
) -> None:
    for value in (b"\xff", "亲".encode(), b"a\xe4"):
        answer = await client.get("/v1/things/7", headers=[(name.encode(), value)])
        assert problem(answer, 400, "header_not_ascii")["detail"].startswith(f"The header {name} ")


async def test_a_good_token_beside_another_opens_nothing(
    client: httpx2.AsyncClient, keys: KeyPair, clock: ManualClock
) -> None:
    good = TokenIssuer(keys.private, clock).issue(subject="a", role="agent", shop_id="s", name="")
    for pair in ((good, "x"), ("x", good), (good, good)):
        lines = [("authorization", f"Bearer {token}") for token in pair]
        problem(await client.get("/v1/me", headers=lines), 400, "repeated_header")
    assert (await client.get("/v1/me", headers=bearer(good))).json() == {"subject": "a"}


async def test_other_headers_may_repeat_and_hold_any_bytes(client: httpx2.AsyncClient) -> None:
    lines = [(b"accept", b"*/*"), (b"accept", "text/亲".encode()), (b"x-shop", b"\xff\xfe")]
    assert (await client.get("/v1/things/7", headers=lines)).status_code == 200


async def test_a_token_outside_ascii_is_no_token(client: httpx2.AsyncClient) -> None:
    lines = [(b"authorization", b"Bearer \xff\xfe.\xa0.\x85")]
    problem(await client.get("/v1/me", headers=lines), 401, "bad_token")


async def test_a_body_behind_a_refused_head_is_not_read(client: httpx2.AsyncClient) -> None:
    lines = [*JSON.items(), ("if-match", '"1"'), ("if-match", '"2"')]
    answer = await client.put("/v1/things/7", content=b'{"name": "a"}', headers=lines)
    problem(answer, 400, "repeated_header")
    assert answer.headers["connection"] == "close"


def test_the_first_fault_is_named() -> None:
    with pytest.raises(RepeatedHeader, match="webhook-x"):
        check_singletons([(b"webhook-x", b"1"), (b"accept", b"\xff"), (b"webhook-x", b"1")])
    with pytest.raises(HeaderNotAscii, match="if-match"):
        check_singletons([(b"accept", b"\xff"), (b"if-match", b"\xff")])
