"""Sessions of browsers: what renews one stands in a cookie that no script reads.

A browser has ten slots, so that two people can share it, and one more for each shop whose chat it
shows: each has a cookie of its own, sent to the paths of its slot alone. Cookies are the one
authority that a browser adds by itself, so these routes want to be asked by a page of this door;
everything else takes a bearer token. Knows cookies and headers; who may come in, the conversation
service says.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

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
BUYER_STAYS_S: Final = 7 * 24 * 3600
"""The same of a buyer."""

_JSON: Final = ((b"content-type", b"application/json"),)
_OWN: Final = b"1"
_UNAUTHORIZED: Final = 401

SlotNumber = Annotated[int, Path(ge=0, le=9, description="one of the browser's ten")]
ShopPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$", description="whose chat it is")]


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


class SlotVisit(Body):
    """Somebody opens a shop's chat: unknown, or with a token by which the shop vouches for him."""

    name: str = Field(default="", max_length=80)
    token: str | None = Field(default=None, min_length=1, max_length=4096)


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


@dataclass(frozen=True, slots=True)
class BrowserSlot:
    """A slot's cookie: its path, how long it stays, and whether pages of other sites frame it.

    Browsers do not tell cookies apart by port, so its name does. One in a frame is sent although
    the page around it is another site's, and is kept apart for each such site.
    """

    key: str
    stays_s: int
    framed: bool = False

    @classmethod
    def of_staff(cls, number: int) -> "BrowserSlot":
        """Return one of the browser's ten."""
        return cls(str(number), STAYS_S)

    @classmethod
    def of_shop(cls, shop_id: str) -> "BrowserSlot":
        """Return the one of a shop's chat."""
        return cls(f"w{shop_id}", BUYER_STAYS_S, framed=True)

    def kept(self, request: Request) -> str:
        """Return the slot's refresh token. Raises `SignedOut`."""
        found = request.cookies.get(self._name(request))
        if not found:
            raise SignedOut
        return found

    def keep(self, response: Response, request: Request, token: str) -> None:
        """Let the browser keep a refresh token."""
        self._set(response, request, token, max_age=self.stays_s)

    def forget(self, response: Response, request: Request) -> None:
        """Let the browser drop what it keeps."""
        self._set(response, request, "", max_age=0)

    def _set(self, response: Response, request: Request, token: str, *, max_age: int) -> None:
        response.set_cookie(
            self._name(request),
            token,
            max_age=max_age,
            path=f"/v1/sessions/slots/{self.key}",
            httponly=True,
            samesite="none" if self.framed else "strict",
            # Browsers take a secure cookie of their own machine over plain HTTP, all but Safari.
            secure=self.framed or not is_loopback(request.headers["host"]),
        )
        if self.framed:
            name, line = response.raw_headers[-1]
            response.raw_headers[-1] = (name, line + b"; Partitioned")

    def _name(self, request: Request) -> str:
        kind = "" if self.framed else "s"
        return f"pd_{kind}{self.key}_{port_of(request.headers['host'])}"


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
        self._of_shops(router)  # first: a number's path would take theirs for a wrong number
        self._of_staff(router)
        return router

    def _of_shops(self, router: APIRouter) -> None:
        @router.post("/w{shop_id}", status_code=201, response_model=SlotSession)
        async def begin_visit_here(
            request: Request, shop_id: ShopPath, body: SlotVisit
        ) -> Response:
            """Open a buyer's session in a shop's chat, when he begins to write."""
            slot, said = BrowserSlot.of_shop(shop_id), {"shop_id": shop_id}
            if body.token is not None:
                vouched = said | {"token": body.token}
                return await self._opened(request, slot, "/v1/sessions/buyer", said=vouched)
            named = said | {"name": body.name}
            return await self._opened(request, slot, "/v1/sessions/visitor", said=named)

        @router.post("/w{shop_id}/refresh", response_model=SlotSession)
        async def renew_visit_here(request: Request, shop_id: ShopPath) -> Response:
            """Go on with a buyer's session."""
            return await self._renewed(request, BrowserSlot.of_shop(shop_id))

        @router.delete("/w{shop_id}", status_code=204)
        async def end_visit_here(request: Request, shop_id: ShopPath) -> Response:
            """End a buyer's session in this browser."""
            return await self._ended(request, BrowserSlot.of_shop(shop_id))

    def _of_staff(self, router: APIRouter) -> None:
        @router.post("/{slot}", status_code=201, response_model=SlotSession)
        async def sign_in_here(request: Request, slot: SlotNumber, body: SlotLogin) -> Response:
            """Sign in as staff in one slot of this browser."""
            said = body.model_dump()
            return await self._opened(
                request, BrowserSlot.of_staff(slot), "/v1/sessions", said=said
            )

        @router.post("/{slot}/refresh", response_model=SlotSession)
        async def renew_here(request: Request, slot: SlotNumber) -> Response:
            """Go on with the session of a slot."""
            return await self._renewed(request, BrowserSlot.of_staff(slot))

        @router.delete("/{slot}", status_code=204)
        async def sign_out_here(request: Request, slot: SlotNumber) -> Response:
            """End the session of a slot, and no other of the same person."""
            return await self._ended(request, BrowserSlot.of_staff(slot))

    async def _asked_by_own_page(self, request: Request) -> None:
        self._hosts.check(
            request.headers.getlist("origin"), request.headers.get("host", ""), own_alone=True
        )
        if request.headers.get("x-peakdesk", "").encode() != _OWN:
            raise NotByAPage

    async def _renewed(self, request: Request, slot: BrowserSlot) -> Response:
        spent = {"refresh_token": slot.kept(request)}
        return await self._opened(request, slot, "/v1/sessions/refresh", said=spent)

    async def _opened(
        self, request: Request, slot: BrowserSlot, path: str, *, said: Mapping[str, object]
    ) -> Response:
        answer = await self._told(path, said, request)
        if not answer.is_success:
            refused = passed_back(answer)
            if answer.status_code == _UNAUTHORIZED and path.endswith("refresh"):
                slot.forget(refused, request)
            return refused
        session = answer.json()
        refresh_token = session.pop("refresh_token")
        response = JSONResponse(session, status_code=answer.status_code)
        slot.keep(response, request, refresh_token)
        return response

    async def _ended(self, request: Request, slot: BrowserSlot) -> Response:
        ended = {"refresh_token": slot.kept(request)}
        answer = await self._told("/v1/sessions/end", ended, request)
        response = Response(status_code=204) if answer.is_success else passed_back(answer)
        if answer.is_success or answer.status_code == _UNAUTHORIZED:
            slot.forget(response, request)
        return response

    async def _told(
        self, path: str, said: Mapping[str, object], request: Request
    ) -> httpx2.Response:
        await request.body()  # what comes behind it is the caller's leaving
        call = Call(SERVICE, "POST", path.encode(), _JSON)
        return await self._proxy.ask(request, call, json.dumps(said).encode())
