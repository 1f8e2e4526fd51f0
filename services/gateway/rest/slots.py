"""Sessions of browsers: what renews one stands in a cookie that no script reads.

A browser has ten slots, so that two people can share it: each has a cookie of its own, sent to the
paths of its slot alone. Cookies are the one authority that a browser adds by itself, so these
routes want to be asked by a page of this door; everything else takes a bearer token. Knows cookies
and headers; who may come in, the conversation service says.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import httpx2
from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from contracts.base import Moment
from contracts.people import Role
from kit.errors import Forbidden, Unauthorized
from kit.web.app import Body
from services.gateway.hosts import Hosts, is_loopback, port_of
from services.gateway.rest.proxy import Call, Proxy, passed_back

SERVICE: Final = "conversation"
STAYS_S: Final = 16 * 3600
"""As long as staff stay signed in: a cookie that outlives its token renews nothing."""

_JSON: Final = ((b"content-type", b"application/json"),)
_OWN: Final = b"1"
_UNAUTHORIZED: Final = 401

SlotNumber = Annotated[int, Path(ge=0, le=9, description="one of the browser's ten")]


class NotByAPage(Forbidden):
    """Forms of other sites can send no header of their own."""

    slug, title = "no_page", "Send the header `X-PeakDesk: 1`"


class SignedOut(Unauthorized):
    """There is no cookie for this slot."""

    slug, title = "signed_out", "Nobody is signed in here: sign in"


class SlotLogin(Body):
    """A member of staff signs in."""

    login: str = Field(min_length=1, max_length=120)
    password: str = Field(min_length=1, max_length=1024)


class SlotPerson(BaseModel):
    """Whom the token stands for."""

    id: str
    role: Role
    shop_id: str
    name: str


class SlotSession(BaseModel):
    """A token for REST and WebSocket; what renews it is in the cookie."""

    token: str
    expires_at: Moment
    person: SlotPerson


class Slots:
    """Moves refresh tokens between cookies and the service that knows them."""

    def __init__(self, proxy: Proxy, hosts: Hosts) -> None:
        self._proxy = proxy
        self._hosts = hosts

    def router(self) -> APIRouter:
        """Return the routes under /v1/sessions/slots."""
        router = APIRouter(
            prefix="/v1/sessions/slots",
            tags=["sessions"],
            dependencies=[Depends(self._asked_by_own_page)],
        )
        answers: dict[str, Any] = {"response_model": SlotSession}

        @router.post("/{slot}", status_code=201, **answers)
        async def sign_in_here(request: Request, slot: SlotNumber, body: SlotLogin) -> Response:
            """Sign in as staff in one slot of this browser."""
            return await self._opened(request, slot, "/v1/sessions", said=body.model_dump())

        @router.post("/{slot}/refresh", **answers)
        async def renew_here(request: Request, slot: SlotNumber) -> Response:
            """Go on with the session of a slot."""
            spent = {"refresh_token": _kept(request, slot)}
            return await self._opened(request, slot, "/v1/sessions/refresh", said=spent)

        @router.delete("/{slot}", status_code=204)
        async def sign_out_here(request: Request, slot: SlotNumber) -> Response:
            """End the session of a slot, and no other of the same person."""
            ended = {"refresh_token": _kept(request, slot)}
            answer = await self._told("/v1/sessions/end", ended, request)
            response = Response(status_code=204) if answer.is_success else passed_back(answer)
            if answer.is_success or answer.status_code == _UNAUTHORIZED:
                _forget(response, request, slot)
            return response

        return router

    async def _asked_by_own_page(self, request: Request) -> None:
        self._hosts.check(
            request.headers.getlist("origin"), request.headers.get("host", ""), own_alone=True
        )
        if request.headers.get("x-peakdesk", "").encode() != _OWN:
            raise NotByAPage

    async def _opened(
        self, request: Request, slot: int, path: str, *, said: Mapping[str, object]
    ) -> Response:
        answer = await self._told(path, said, request)
        if not answer.is_success:
            refused = passed_back(answer)
            if answer.status_code == _UNAUTHORIZED and path.endswith("refresh"):
                _forget(refused, request, slot)
            return refused
        session = answer.json()
        refresh_token = session.pop("refresh_token")
        response = JSONResponse(session, status_code=answer.status_code)
        response.set_cookie(
            _name(request, slot), refresh_token, max_age=STAYS_S, **_where(request, slot)
        )
        return response

    async def _told(
        self, path: str, said: Mapping[str, object], request: Request
    ) -> httpx2.Response:
        await request.body()  # what comes behind it is the caller's leaving
        call = Call(SERVICE, "POST", path.encode(), _JSON)
        return await self._proxy.ask(request, call, json.dumps(said).encode())


def _kept(request: Request, slot: int) -> str:
    """Return the slot's refresh token. Raises `SignedOut`."""
    found = request.cookies.get(_name(request, slot))
    if not found:
        raise SignedOut
    return found


def _forget(response: Response, request: Request, slot: int) -> None:
    response.delete_cookie(_name(request, slot), **_where(request, slot))


def _name(request: Request, slot: int) -> str:
    """Return the cookie's name; with the port, which browsers do not tell cookies apart by."""
    return f"pd_s{slot}_{port_of(request.headers['host'])}"


def _where(request: Request, slot: int) -> dict[str, Any]:
    """Return where a cookie goes: to its slot alone, and over plain HTTP to no other machine."""
    return {
        "path": f"/v1/sessions/slots/{slot}",
        "httponly": True,
        "samesite": "strict",
        "secure": not is_loopback(request.headers["host"]),
    }
