"""The upgrade request: who may open a socket at all. Refusals are problem documents before 101.

Knows HTTP headers and limits; must not know frames.
"""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import msgspec
import structlog
from picows import (
    WSListener,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)

from contracts.frames import SUBPROTOCOL
from kit.errors import AppError, NotFound, TooMany, Unavailable
from kit.web.capacity import ConnectionLimits
from kit.web.edge import SECURITY_HEADERS
from kit.web.forwarded import TrustedProxies
from kit.web.head import Line, check_host, check_no_token, check_singletons
from kit.web.problems import MEDIA_TYPE, BadRequest, document, of_status
from services.gateway.hosts import Hosts

PATH: Final = b"/v1/ws"
SUBPROTOCOL_HEADER: Final = "Sec-WebSocket-Protocol"

VERSION: Final = "13"

_KEY: Final = re.compile(r"[A-Za-z0-9+/]{22}==")
_BEARER: Final = re.compile(r"Bearer +([\x21-\x7e]{1,4096})", re.IGNORECASE)

log: Final = structlog.get_logger("gateway.socket")

NewListener = Callable[[str, str | None], WSListener]
"""Given the client's address and the bearer token, answers who listens."""


class BadSubprotocol(BadRequest):
    """The client does not speak our protocol."""

    slug, title = "bad_subprotocol", f"Ask for the subprotocol {SUBPROTOCOL}"


class BadHandshake(BadRequest):
    """The request is no handshake of RFC 6455: another version, no key, or several."""

    slug, title = "bad_handshake", f"Open a WebSocket of version {VERSION}"


class HandshakeTooLarge(AppError):
    """The head of the upgrade request is over what picows reads."""

    slug, status, title = "head_too_large", 431, "Send fewer or shorter headers"


class Handshake:
    """Answers each upgrade request. `closed` is set by the drain."""

    def __init__(
        self,
        listener: NewListener,
        connections: ConnectionLimits,
        *,
        ready: Callable[[], bool],
        hosts: Hosts,
        proxies: TrustedProxies,
    ) -> None:
        self._listener = listener
        self._connections = connections
        self._ready = ready
        self._hosts = hosts
        self._proxies = proxies
        self.closed = False

    def __call__(
        self, request: WSUpgradeRequest, peer: str
    ) -> WSListener | WSUpgradeResponseWithListener:
        """Return who listens, or the refusal."""
        lines = _lines(request)
        address = self._proxies.client_of(peer, lines)
        try:
            self._check(request, lines, address=address)
        except AppError as error:
            return WSUpgradeResponseWithListener(refusal(error), None)
        except Exception:  # picows would show its text to the client
            log.exception("socket.upgrade_failed")
            return WSUpgradeResponseWithListener(refusal(of_status(500)), None)
        found = _BEARER.fullmatch(request.headers.get("Authorization", "").strip())
        listener = self._listener(address, found[1] if found else None)
        accepted = WSUpgradeResponse.create_101_response({SUBPROTOCOL_HEADER: SUBPROTOCOL})
        return WSUpgradeResponseWithListener(accepted, listener)

    def _check(self, request: WSUpgradeRequest, lines: list[Line], *, address: str) -> None:
        headers = request.headers
        check_host(lines)
        check_singletons(lines)
        _check_handshake(request)
        path, _, query = request.path.partition(b"?")
        check_no_token(query.decode("latin-1"))
        if path != PATH:
            raise NotFound
        self._check_origin(request)
        offered = ",".join(headers.getall(SUBPROTOCOL_HEADER, []))
        if SUBPROTOCOL not in {one.strip() for one in offered.split(",")}:
            raise BadSubprotocol
        if self.closed or self._connections.full or not self._ready():
            raise Unavailable("This gateway takes no more sockets now.", retry_after=1)
        if self._connections.crowded(address):
            raise TooMany("Too many sockets of this address have not said hello.")

    def _check_origin(self, request: WSUpgradeRequest) -> None:
        """Programs send no Origin; browsers always do, and must come from an allowed page."""
        found = request.headers.getall("Origin", [])
        if found or "Cookie" in request.headers:
            self._hosts.check(found, request.headers.get("Host", ""))


def _lines(request: WSUpgradeRequest) -> list[Line]:
    """Return the header lines as they came: picows keeps bytes outside ASCII as surrogates."""
    return [
        (name.lower().encode("ascii"), value.encode("ascii", "surrogateescape"))
        for name, value in request.headers.items()
    ]


def _check_handshake(request: WSUpgradeRequest) -> None:
    """Refuse what picows would, before it does in words and a form of its own."""
    versions = request.headers.getall("Sec-WebSocket-Version", [])
    keys = request.headers.getall("Sec-WebSocket-Key", [])
    if versions != [VERSION] or len(keys) != 1 or _KEY.fullmatch(keys[0]) is None:
        raise BadHandshake


def refusal(error: AppError) -> WSUpgradeResponse:
    """Return the answer to an upgrade that is not granted; the connection is closed behind it."""
    headers = {**SECURITY_HEADERS, "Content-Type": MEDIA_TYPE}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, BadHandshake):
        headers["Sec-WebSocket-Version"] = VERSION
    body = msgspec.json.encode(document(error))
    response: WSUpgradeResponse = WSUpgradeResponse.create_error_response(
        HTTPStatus(error.status), body, headers
    )
    return response
