"""The public REST API as an outside client uses it. Must not know how a rehearsal is judged."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import httpx2
import stamina

CONCURRENT_REQUESTS: Final = 16
"""REST calls under way at once; further ones wait their turn."""

REQUEST_TIMEOUT_S: Final = 10.0

PATIENCE_S: Final = 60.0
"""How long a request is tried again that the platform answered with 429, 502, 503 or not at all:
as long as a platform takes on a busy machine that lost all of its processes at once."""

FIRST_CONTACT_S: Final = 15.0
"""The same until the first answer of all: a wrong address answers never, and is soon said."""

PAGE: Final = 200

_PASSING: Final = frozenset({429, 502, 503, 504})


class ApiRefused(Exception):
    """The platform refused a request for good. `slug` is the problem's code."""

    def __init__(self, method: str, path: str, status: int, *, slug: str) -> None:
        super().__init__(f"{method} {path} was answered {status} {slug}")
        self.status, self.slug = status, slug


class _RefusedForNow(ApiRefused):
    """The platform is busy or a part of it is away: worth another try."""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person; `token` lives for minutes, `refresh_token` buys the next one."""

    person_id: str
    token: str
    refresh_token: str


class Api:
    """One client of the gateway's REST API; retries what is safe to retry, with jitter."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        limits = httpx2.Limits(max_connections=CONCURRENT_REQUESTS)
        self._http = httpx2.AsyncClient(
            base_url=self.base_url, timeout=REQUEST_TIMEOUT_S, limits=limits, trust_env=False
        )
        self._turn = asyncio.Semaphore(CONCURRENT_REQUESTS)
        self._reached = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    @property
    def socket_url(self) -> str:
        """The WebSocket address of the same gateway."""
        return "ws" + self.base_url.removeprefix("http") + "/v1/ws"

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: dict[str, Any] | None = None,
        params: dict[str, str] | None = None,
    ) -> Any:
        """Send one request and return its JSON. Raises `ApiRefused`.

        A POST carries one idempotency key over all its tries, so that a retry has one effect.
        """
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        request = self._http.build_request(method, path, headers=headers, json=body, params=params)
        return await self._carried(request)

    async def post(self, path: str, content: bytes, headers: Mapping[str, str]) -> Any:
        """Send a body as it stands, with headers of one's own: what is signed, or on a version.

        Raises `ApiRefused`.
        """
        said = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4()), **headers}
        request = self._http.build_request("POST", path, headers=said, content=content)
        return await self._carried(request)

    async def _carried(self, request: httpx2.Request) -> Any:
        async for attempt in stamina.retry_context(
            on=(_RefusedForNow, httpx2.TransportError),
            attempts=None,
            timeout=PATIENCE_S if self._reached else FIRST_CONTACT_S,
            wait_max=5.0,
        ):
            with attempt:
                return await self._send(request)
        raise AssertionError("the retry loop ends by returning or raising")

    async def _send(self, request: httpx2.Request) -> Any:
        async with self._turn:
            answer = await self._http.send(request)
        self._reached = True
        if answer.is_success:
            return answer.json() if answer.content else None
        passing = answer.status_code in _PASSING or "Retry-After" in answer.headers
        refusal = _RefusedForNow if passing else ApiRefused
        raise refusal(request.method, request.url.path, answer.status_code, slug=_slug(answer))

    async def sign_in(self, login: str, password: str) -> Session:
        """Sign a member of staff in."""
        answer = await self.call(
            "POST", "/v1/sessions", body={"login": login, "password": password}
        )
        return _session(answer)

    async def renew(self, session: Session) -> Session:
        """Return the same person's session with a fresh token; the old refresh token is spent."""
        body = {"refresh_token": session.refresh_token}
        return _session(await self.call("POST", "/v1/sessions/refresh", body=body))

    async def visit(self, shop_id: str, name: str) -> Session:
        """Enter a shop as an anonymous visitor."""
        answer = await self.call(
            "POST", "/v1/sessions/visitor", body={"shop_id": shop_id, "name": name}
        )
        return _session(answer)

    async def vouched(self, shop_id: str, token: str) -> Session:
        """Enter a shop as the buyer whom its own token names."""
        answer = await self.call(
            "POST", "/v1/sessions/buyer", body={"shop_id": shop_id, "token": token}
        )
        return _session(answer)

    async def end(self, session: Session) -> None:
        """Sign a person out here: neither of the session's tokens counts any more."""
        body = {"refresh_token": session.refresh_token}
        await self.call("POST", "/v1/sessions/end", body=body)

    async def pages(
        self, path: str, *, token: str, params: dict[str, str] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the items of every page of a listing."""
        query = {"limit": str(PAGE), **(params or {})}
        while True:
            page = await self.call("GET", path, token=token, params=query)
            for item in page["items"]:
                yield item
            if not page["next_cursor"]:
                return
            query["cursor"] = page["next_cursor"]


def _session(answer: dict[str, Any]) -> Session:
    return Session(answer["person"]["id"], answer["token"], answer["refresh_token"])


def _slug(answer: httpx2.Response) -> str:
    try:
        return str(answer.json().get("code", "unknown"))
    except ValueError:
        return "unknown"
