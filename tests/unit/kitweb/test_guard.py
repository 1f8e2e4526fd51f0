"""What one request may be, told by the parser itself (H42)."""

from http import HTTPStatus

import httptools
import pytest

from kit.web.guard import CHUNKS_LIMIT, FIELDS_LIMIT, HEAD_LIMIT, RequestGuard, RequestRefused

pytestmark = pytest.mark.unit


class Request:
    """What a connection passes on from its parser to its guard."""

    def __init__(self) -> None:
        self.guard = RequestGuard()
        self.lines: list[tuple[bytes, bytes]] = []
        self._parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self.lines = []
        self.guard.begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.guard.field()
        self.lines.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.guard.head(self._parser.get_http_version(), self.lines)
        if self._parser.should_upgrade():
            self.guard.upgrade(self._parser.get_method(), self.lines, out_of_turn=False)

    def on_chunk_header(self) -> None:
        self.guard.chunk()

    def on_body(self, body: bytes) -> None:
        self.guard.body(len(body))

    def on_message_complete(self) -> None:
        self.guard.end()

    def comes(self, *pieces: bytes) -> int:
        """Let pieces come one after another; return how much of the last was HTTP."""
        return [self.guard.parse(self._parser, memoryview(piece)) for piece in pieces][-1]

    def refusal(self, *pieces: bytes) -> tuple[int, str]:
        """Let pieces come, of which the last is refused."""
        with pytest.raises((RequestRefused, httptools.HttpParserError)):
            self.comes(*pieces)
        return self.guard.reason.status.value, self.guard.reason.slug


POST = b"POST / HTTP/1.1\r\nhost: desk\r\n"
FIELD = b"x: y\r\n"
TOO_LARGE = (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large")


def test_a_head_of_all_that_it_may_be_is_taken() -> None:
    largest = b"x: " + b"y" * (HEAD_LIMIT - 5) + b"\r\n"
    request = Request()
    request.comes(POST + b"content-length: 0\r\n", largest, b"\r\n")
    assert request.guard.in_head


def test_a_head_over_the_limit_is_refused_however_it_is_cut() -> None:
    assert Request().refusal(POST, b"x: " + b"y" * HEAD_LIMIT) == TOO_LARGE
    assert Request().refusal(POST, b"x: ", *[b"y" * 1_024] * (HEAD_LIMIT // 1_024)) == TOO_LARGE


def test_headers_and_trailers_are_counted_together() -> None:
    body = b"transfer-encoding: chunked\r\n\r\n0\r\n"
    fields = FIELD * (FIELDS_LIMIT - 3)
    assert Request().comes(POST + fields + body + FIELD + b"\r\n")
    assert Request().refusal(POST + fields + body + FIELD * 2 + b"\r\n") == TOO_LARGE


def test_a_body_is_no_head_but_its_extensions_are() -> None:
    start = POST + b"transfer-encoding: chunked\r\n\r\n"
    chunk = b"400\r\n" + b"b" * 1_024 + b"\r\n"
    request = Request()
    request.comes(start, *[chunk] * 64)
    extended = b"1;" + b"e" * 1_024 + b"\r\nb\r\n"
    assert request.refusal(*[extended] * 64) == TOO_LARGE


def test_a_body_in_more_chunks_than_may_be_is_refused() -> None:
    start = POST + b"transfer-encoding: chunked\r\n\r\n"
    request = Request()
    request.comes(start, b"1\r\nb\r\n" * CHUNKS_LIMIT)
    assert request.refusal(b"1\r\nb\r\n") == (HTTPStatus.BAD_REQUEST, "bad_request")


def test_counts_begin_anew_with_each_request() -> None:
    request = Request()
    for _ in range(3):
        request.comes(POST + FIELD * (FIELDS_LIMIT - 2) + b"content-length: 2\r\n\r\n", b"{}")
        assert request.guard.in_head


def test_what_the_parser_refuses_by_itself_is_malformed() -> None:
    assert Request().refusal(b"\x00" * 50) == (HTTPStatus.BAD_REQUEST, "bad_request")


def test_an_upgrade_ends_where_its_head_does() -> None:
    head = b"GET / HTTP/1.1\r\nhost: desk\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    request = Request()
    assert request.comes(head + b"frames") == len(head)
    assert request.guard.switched


def test_an_upgrade_with_a_body_is_refused() -> None:
    head = b"connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 2\r\n\r\n"
    assert Request().refusal(POST + head) == (HTTPStatus.BAD_REQUEST, "bad_request")
    assert Request().refusal(b"CONNECT a:1 HTTP/1.1\r\nhost: desk\r\n\r\n") == (
        HTTPStatus.METHOD_NOT_ALLOWED,
        "method_not_allowed",
    )
