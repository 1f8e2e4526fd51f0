"""How long a rehearsal tries a request again: not long where nobody ever answered."""

from collections.abc import Callable

import httpx2
import pytest

from rehearsal import api as subject
from rehearsal.api import Api, ApiRefused

pytestmark = pytest.mark.unit

Answer = Callable[[httpx2.Request], httpx2.Response]


def served(answer: Answer) -> Api:
    """Return a client of which every request is answered by this."""
    api = Api("http://desk")
    api._http = httpx2.AsyncClient(base_url="http://desk", transport=httpx2.MockTransport(answer))
    return api


async def test_an_address_that_never_answered_is_given_up_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subject, "FIRST_CONTACT_S", 0.3)

    def nobody(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    async with served(nobody) as api:
        with pytest.raises(httpx2.ConnectError):
            await api.call("GET", "/v1/limits")


async def test_who_answered_once_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "FIRST_CONTACT_S", 0.01)
    answers = [200, 503, 503, 503, 200]

    def busy(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(answers.pop(0), json={"code": "busy"})

    async with served(busy) as api:
        await api.call("GET", "/v1/limits")
        assert await api.call("GET", "/v1/limits") == {"code": "busy"}

    assert answers == []


async def test_a_refusal_for_good_is_not_tried_again() -> None:
    answers = [404, 200]

    def gone(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(answers.pop(0), json={"code": "not_found"})

    async with served(gone) as api:
        with pytest.raises(ApiRefused, match="not_found"):
            await api.call("GET", "/v1/limits")

    assert answers == [200]
