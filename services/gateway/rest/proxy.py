"""REST under one origin: the token is checked here, then the request goes to the service it names.

Knows prefixes, headers and addresses; must not know what a route does. Internal routes are on other
ports, and no path leads there.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import httpx2
from fastapi import APIRouter, Request
from starlette.responses import Response

from kit.errors import NotFound, Unavailable
from kit.telemetry import inject
from kit.web.auth import CallerToken
from kit.web.head import Line
from kit.web.leaving import while_there
from services.gateway.rest.heads import HEADS
from services.gateway.rest.neighbours import Neighbours

_OPEN: Final = (
    "/v1/sessions",
    "/v1/sessions/refresh",
    "/v1/sessions/end",
    "/v1/sessions/buyer",
    "/v1/sessions/visitor",
    "/v1/intake/{shop_id}/orders",
)
"""What is posted without a token: how one gets a token, and webhooks, which are signed."""

_PASSED_ON: Final = frozenset(
    {
        b"accept",
        b"accept-language",
        b"content-type",
        b"idempotency-key",
        b"if-match",
        b"if-none-match",
        b"webhook-id",
        b"webhook-signature",
        b"webhook-timestamp",
    }
)
"""Request headers that services get, byte by byte. All others stay here: nobody can forge a
forwarding header, and of `Authorization` only the token that was verified goes on (H41)."""

_NOT_BACK: Final = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "date",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]
"""HEAD comes as GET (`kit.web.methods`)."""


def service_of(path: str) -> str | None:
    """Return the service that a public path leads to."""
    _, version, *rest = (*path.split("/"), "", "")
    if version != "v1":
        return None
    return HEADS.get(rest[0]) or HEADS.get(f"{rest[0]}/{rest[1]}")


class Proxy:
    """Passes requests on."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._pools = neighbours.pools
        self._services = {
            name: httpx2.URL(address) for name, address in neighbours.addresses.items()
        }

    def router(self) -> APIRouter:
        """Return the routes: the open ones first, everything else for who holds a token."""
        router = APIRouter(include_in_schema=False)
        for path in _OPEN:
            router.add_api_route(path, self._for_anybody, methods=["POST"])
        router.add_api_route("/v1/{path:path}", self._for_callers, methods=_METHODS)
        return router

    async def _for_anybody(self, request: Request) -> Response:
        return await self._pass_on(request, [])

    async def _for_callers(self, request: Request, token: CallerToken) -> Response:
        return await self._pass_on(request, [(b"authorization", b"Bearer " + token.encode())])

    async def _pass_on(self, request: Request, headers: list[Line]) -> Response:
        """Answer what the service answers, 503 with Retry-After if it does not.

        A caller who leaves ends his request to the service, which may then let go of it too (H44).
        """
        headers += [line for line in request.scope["headers"] if line[0] in _PASSED_ON]
        path: bytes = request.scope["raw_path"].partition(b"?")[0]
        segments = request.url.path.split("/")
        service = service_of(request.url.path)
        if service is None or not {".", ".."}.isdisjoint(segments) or b"%2f" in path.lower():
            raise NotFound
        query: bytes = request.scope["query_string"]
        call = Call(service, request.method, path + (b"?" + query if query else b""), headers)
        return passed_back(await self.ask(request, call, await request.body()))

    async def ask(self, request: Request, call: "Call", body: bytes) -> httpx2.Response:
        """Return what a service answers, in a request's name. Raises `Unavailable`, `CallerLeft`.

        Of the request's own headers none goes along but those of the call, and how its client calls
        itself.
        """
        headers = [*call.headers, *((name.encode(), value) for name, value in inject())]
        if request.client is not None:
            headers.append((b"x-forwarded-for", request.client.host.encode()))
        client = request.headers.get("user-agent", "")
        headers.append((b"user-agent", client.encode("latin-1")))
        target = self._services[call.service].copy_with(raw_path=call.raw_path)
        pool = self._pools[call.service]
        try:
            return await while_there(
                request, pool.request(call.method, target, headers=headers, content=body)
            )
        except httpx2.HTTPError:
            raise Unavailable("The service behind this address does not answer.") from None


class Call(NamedTuple):
    """What is asked of a service: its name, method, path with its query as bytes, headers."""

    service: str
    method: str
    raw_path: bytes
    headers: Sequence[Line] = ()


def passed_back(answer: httpx2.Response) -> Response:
    """Return a service's answer as this door gives it."""
    response = Response(answer.content, status_code=answer.status_code)
    kept = [(k, v) for k, v in answer.headers.multi_items() if k.lower() not in _NOT_BACK]
    length = [(k, v) for k, v in response.headers.items() if k == "content-length"]
    response.raw_headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in kept + length]
    return response
