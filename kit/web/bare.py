"""A refusal as whole bytes, for connections that no application sees.

Knows the form of an answer; decides nothing.
"""

import json
from http import HTTPStatus
from typing import Final

from kit.web.edge import SECURITY_HEADERS
from kit.web.problems import MEDIA_TYPE, TYPE_PREFIX

RETRY_S: Final = 1
"""What who finds no room is told to wait."""


def bare_problem(status: HTTPStatus, slug: str) -> bytes:
    """Return the problem document of a refusal that no application sees, as a whole answer."""
    document = {
        "type": TYPE_PREFIX + slug,
        "title": status.phrase,
        "status": status.value,
        "detail": status.phrase,
        "code": slug,
        "trace_id": "",
    }
    body = json.dumps(document).encode()
    fields = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **SECURITY_HEADERS}
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        fields["retry-after"] = str(RETRY_S)
    fields["connection"] = "close"
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n{head}\r\n".encode() + body
