"""What one request may be: how much beside its body, and nothing that two readers read differently.

Knows the parser, counts and heads; must not know connections.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, NoReturn

import httptools

from kit.web.framing import has_body, is_doubtful
from kit.web.head import Line

HEAD_LIMIT: Final = 32 * 1024
"""Bytes of request line, headers, chunk extensions and trailers together; more is answered 431 and
the connection closed. It is looked at after every piece that was parsed."""

FIELDS_LIMIT: Final = 100
"""Headers and trailers of one request; one more is answered 431. Trailers are then dropped."""

CHUNKS_LIMIT: Final = 4_096
"""Chunks of one body; one more is answered 400: bytes sent one by one cost most."""

CHUNK_LINE: Final = 20
"""Bytes that a chunk may spend on its size and line ends without being counted as head."""


class RequestRefused(Exception):
    """The request is answered so, without the application, and the connection closed."""

    def __init__(self, status: HTTPStatus, slug: str) -> None:
        super().__init__(slug)
        self.status, self.slug = status, slug


class RequestGuard:
    """Follows the parser from request to request; what it is told of may raise `RequestRefused`.

    What a callback of the parser raises is lost on its way, so it stands in `reason` too; what the
    parser refuses by itself is malformed.
    `in_head` tells whether a head is what comes next, or still; `switched`, whether the last piece
    ended with a request for another protocol.
    """

    __slots__ = (
        "_begun",
        "_chunks",
        "_chunks_in_piece",
        "_fields",
        "_framing",
        "_octets_in_piece",
        "in_head",
        "reason",
        "switched",
    )

    def __init__(self) -> None:
        self.in_head = True
        self.reason = RequestRefused(HTTPStatus.BAD_REQUEST, "bad_request")
        self.switched = False
        self._begun = False
        self._framing = self._fields = self._chunks = 0
        self._octets_in_piece = self._chunks_in_piece = 0

    def fail(self, status: HTTPStatus, slug: str) -> NoReturn:
        """Refuse the request."""
        self.reason = RequestRefused(status, slug)
        raise self.reason

    # ---- a request

    def begin(self) -> None:
        """A request begins."""
        self._begun = True
        self._framing = self._fields = self._chunks = 0

    def field(self) -> None:
        """A header or a trailer came."""
        self._fields += 1
        if self._fields > FIELDS_LIMIT:
            self.fail(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large")

    def head(self, version: str, lines: Sequence[Line]) -> None:
        """The head is whole."""
        self.in_head = False
        if is_doubtful(version, lines):
            self.fail(HTTPStatus.BAD_REQUEST, "bad_request")

    def upgrade(self, method: bytes, lines: Sequence[Line], *, out_of_turn: bool) -> None:
        """The head asks for another protocol: httptools reads no body behind it.

        `out_of_turn`, for a WebSocket while an answer is due on its connection.
        """
        if method == b"CONNECT":
            self.fail(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed")
        if has_body(lines) or out_of_turn:
            self.fail(HTTPStatus.BAD_REQUEST, "bad_request")

    def chunk(self) -> None:
        """A chunk of the body begins."""
        self._chunks += 1
        self._chunks_in_piece += 1
        if self._chunks > CHUNKS_LIMIT:
            self.fail(HTTPStatus.BAD_REQUEST, "bad_request")

    def body(self, octets: int) -> None:
        """So much of the body came."""
        self._octets_in_piece += octets

    def end(self) -> None:
        """The request is whole."""
        self.in_head = True
        self._framing = 0

    # ---- a piece of what was received

    def parse(self, parser: httptools.HttpRequestParser, piece: memoryview) -> int:
        """Let a piece be parsed; return how much of it was HTTP.

        Of it counts as head what is neither body nor chunk line. Raises as the parser does.
        """
        self._begun = self.switched = False
        self._octets_in_piece = self._chunks_in_piece = 0
        taken = len(piece)
        try:
            parser.feed_data(piece)
        except httptools.HttpParserUpgrade as ended:
            self.switched = True
            taken = ended.args[0]
        if not self._begun:
            free = self._octets_in_piece + self._chunks_in_piece * CHUNK_LINE
            self._framing += max(0, taken - free)
            if self._framing > HEAD_LIMIT:
                self.fail(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large")
        return taken
