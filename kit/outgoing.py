"""A guarded POST to an address that somebody typed in: a robot, a shop's own server.

Its name is resolved once, every address that it has must be public, and the connection goes to one
of those: what the name says a moment later changes nothing (DNS rebinding). TLS is verified against
the name. Nothing is followed, unpacked, or read beyond `BODY_BYTES`. Must not know what is sent.
"""

import asyncio
import contextlib
import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import httpx2

TIMEOUT_S: Final = 10.0
"""From the first question for the name to the last byte of the answer."""

BODY_BYTES: Final = 64 * 1024
"""What is read of an answer; the rest is left, and the connection ended."""

SENT_BYTES: Final = 64 * 1024
"""What is sent at most; a longer body is a mistake of ours."""

URL_CHARS: Final = 2_048
LOOKUPS: Final = 4
"""Names that are resolved at once. A name server that hangs holds these threads and no others."""

_HTTPS: Final = 443
_HTTP: Final = 80
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
_EMBEDDING: Final = (
    ipaddress.ip_network("64:ff9b::/96"),
    ipaddress.ip_network("64:ff9b:1::/48"),
    ipaddress.ip_network("2002::/16"),
    ipaddress.ip_network("2001::/32"),
)
"""IPv6 that stands for an IPv4 address, which may be anybody's."""

_INSIDE: Final = (ipaddress.ip_network("fec0::/10"), ipaddress.ip_network("3fff::/20"))
"""IPv6 of a site, which was given up, and of examples: this Python takes both for global."""

_CLOUDS_OWN: Final = ipaddress.ip_address("168.63.129.16")
"""Azure answers each machine there about itself: global by its number, and inside."""

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""Return the addresses of a name, for a port; raises OSError. Called in a thread."""


class AddressRefused(Exception):
    """Nothing may be sent there. `reason` is a slug: what is wrong with it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotSent(Exception):
    """Nobody was reached: surely nothing has arrived."""


class Unanswered(Exception):
    """It was sent, and no whole answer came: it may have arrived, or not."""


class Target(NamedTuple):
    """Where something is sent, as its URL says."""

    scheme: str
    host: str
    port: int
    path: str
    is_stand_in: bool

    @property
    def authority(self) -> str:
        """The `Host` header."""
        usual = _HTTPS if self.scheme == "https" else _HTTP
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == usual else f"{name}:{self.port}"


class Answer(NamedTuple):
    """What came back. `body` is cut at `BODY_BYTES`, and never unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class StandIns:
    """Hosts of this installation, `host` or `host:port`, that may be private and in the clear."""

    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, text: str) -> "StandIns":
        """Read a list separated by commas."""
        return cls(frozenset(filter(None, (one.strip().lower() for one in text.split(",")))))

    def lists(self, host: str, port: int) -> bool:
        """Tell whether a place is one of them."""
        return host in self.hosts or f"{host}:{port}" in self.hosts


def target(url: str, stand_ins: StandIns | None = None) -> Target:
    """Return where a URL points. Raises `AddressRefused` for what can never be sent to.

    Whether its name is a public one shows when it is resolved.
    """
    if len(url) > URL_CHARS or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefused("not_a_url")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise AddressRefused("not_a_url") from None
    if "\\" in url or parts.fragment or not host:
        raise AddressRefused("not_a_url")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("userinfo")
    wanted = port or (_HTTP if parts.scheme == "http" else _HTTPS)
    listed = (stand_ins or StandIns()).lists(host, wanted)
    if parts.scheme not in {"http", "https"} or (parts.scheme == "http" and not listed):
        raise AddressRefused("not_https")
    if not listed:
        _check_name(host)
        if wanted != _HTTPS:
            raise AddressRefused("port")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, wanted, path, listed)


def is_public(address: str) -> bool:
    """Tell whether an address is one of the open internet's, and stands for no other."""
    try:
        found: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and (
        found.ipv4_mapped is not None or any(found in net for net in (*_EMBEDDING, *_INSIDE))
    ):
        return False
    is_inside = found.is_multicast or found.is_reserved or found == _CLOUDS_OWN
    return found.is_global and not is_inside


def system_addresses(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


class Outgoing:
    """Posts to what people typed in. One for all who do, with threads and sockets of its own."""

    def __init__(
        self,
        stand_ins: StandIns | None = None,
        *,
        resolve: Resolve = system_addresses,
        authorities: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.stand_ins = stand_ins or StandIns()
        self._resolve = resolve
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="outgoing")
        self._client = httpx2.AsyncClient(
            verify=authorities or httpx2.create_ssl_context(trust_env=False),
            # A connection is one name's: none is kept that another name could be sent over.
            limits=httpx2.Limits(max_keepalive_connections=0),
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
        )

    async def check(self, url: str) -> Target:
        """Return where a URL points, as far as can be told today. Raises `AddressRefused`.

        A name that nobody knows now may be known when something is sent.
        """
        where = target(url, self.stand_ins)
        with contextlib.suppress(NotSent, TimeoutError):
            await self._address(where)
        return where

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body once. Raises `AddressRefused`, `NotSent` and `Unanswered`."""
        if len(body) > SENT_BYTES:
            raise AddressRefused("too_large")
        where = target(url, self.stand_ins)
        try:
            async with asyncio.timeout(self._timeout_s):
                address = await self._address(where)
                return await self._send(where, address, body=body, headers=headers)
        except TimeoutError:
            raise Unanswered("no answer in time") from None

    async def close(self) -> None:
        """End what is under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._client.aclose()

    async def _address(self, where: Target) -> str:
        """Resolve the name, once: all of its addresses must be such as may be sent to."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s / 2):
                found = await loop.run_in_executor(
                    self._threads, self._resolve, where.host, where.port
                )
        except (OSError, UnicodeError) as error:  # a name server's time-out is an OSError, too
            raise NotSent(f"{where.host} has no address") from error
        if not found:
            raise NotSent(f"{where.host} has no address")
        if not where.is_stand_in and not all(map(is_public, found)):
            raise AddressRefused("private_address")
        return found[0]

    async def _send(
        self, where: Target, address: str, *, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        literal = f"[{address}]" if ":" in address else address
        request = self._client.build_request(
            "POST",
            f"{where.scheme}://{literal}:{where.port}{where.path}",
            content=body,
            headers={**headers, "Host": where.authority, "Accept-Encoding": "identity"},
            extensions={"sni_hostname": where.host},
        )
        try:
            response = await self._client.send(request, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise NotSent(type(error).__name__) from error
        except httpx2.HTTPError as error:
            raise Unanswered(type(error).__name__) from error
        try:
            return Answer(response.status_code, dict(response.headers), await _head(response))
        finally:
            await response.aclose()


async def _head(response: httpx2.Response) -> bytes:
    """Read the first bytes of an answer, as they came."""
    read = bytearray()
    try:
        async for part in response.aiter_raw():
            read += part
            if len(read) >= BODY_BYTES:
                break
    except httpx2.HTTPError as error:
        raise Unanswered(type(error).__name__) from error
    return bytes(read[:BODY_BYTES])


def _check_name(host: str) -> None:
    """Refuse addresses, however they are spelled, and names that are no names of the internet."""
    labels = host.rstrip(".").split(".")
    if ":" in host or _NUMBER.fullmatch(labels[-1]):
        raise AddressRefused("address")
    if len(labels) == 1 or not all(map(_LABEL.fullmatch, labels)):
        raise AddressRefused("not_a_name")
