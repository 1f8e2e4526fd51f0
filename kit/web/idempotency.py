"""Reads the Idempotency-Key of a request, and answers a replay.

Knows headers and routes; what a key is good for is in `kit.idempotency`.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Final, Protocol, cast

from fastapi import Depends, FastAPI, Header, Request, Response
from pydantic import BaseModel

from kit.idempotency import CommandKey, Replayed
from kit.web.auth import Caller
from kit.web.preconditions import etag
from kit.web.problems import BadRequest

KEY_LIMIT: Final = 255
"""Characters of a key; a longer one is answered 400."""

REPLAYED: Final = "Idempotent-Replayed"

_KEY: Final = re.compile(r"[\x21\x23-\x7e](?:[\x20\x21\x23-\x7e]*[\x21\x23-\x7e])?")


class BadKey(BadRequest):
    """The Idempotency-Key is missing or unreadable."""

    slug = "bad_idempotency_key"
    title = f"Send an Idempotency-Key of 1 to {KEY_LIMIT} printable ASCII characters"


async def _command_key(
    request: Request,
    principal: Caller,
    idempotency_key: Annotated[
        str | None, Header(description="Unique per command; a repeat gets the first answer")
    ] = None,
) -> CommandKey:
    """Read the key of a request. Raises `BadKey`."""
    key = (idempotency_key or "").strip()
    if key.startswith('"') and key.endswith('"'):
        key = key[1:-1]  # the draft's form is a quoted string; most clients send it bare
    if len(key) > KEY_LIMIT or not _KEY.fullmatch(key):
        raise BadKey
    route = request.scope.get("route")
    template = getattr(route, "path_format", request.url.path)
    digest = hashlib.sha256(f"{request.url.path}?{request.url.query}\n".encode())
    digest.update(await request.body())
    return CommandKey(
        shop_id=principal.shop_id,
        subject=principal.subject,
        route=f"{request.method} {template}",
        key=key,
        body_hash=digest.digest(),
        status=getattr(route, "status_code", None) or 200,
    )


IdempotencyKey = Annotated[CommandKey, Depends(_command_key)]
"""A parameter of every POST that changes something: its key, to hand to the use case."""


class Versioned(Protocol):
    """A view that says which version it shows."""

    version: int


async def _versioned_key(key: IdempotencyKey, response: Response) -> CommandKey:
    def headers(view: BaseModel) -> Mapping[str, str]:
        told = {"ETag": etag(cast("Versioned", view).version)}
        response.headers.update(told)
        return told

    return replace(key, headers=headers)


VersionedKey = Annotated[CommandKey, Depends(_versioned_key)]
"""The same for a command that answers a `Versioned` view: its ETag goes with the answer."""


def install(app: FastAPI) -> None:
    """Answer replays of the application's commands."""
    app.add_exception_handler(Replayed, _on_replayed)


async def _on_replayed(_: Request, replayed: Exception) -> Response:
    assert isinstance(replayed, Replayed)
    headers = {**replayed.headers, REPLAYED: "true"}
    return Response(replayed.body, replayed.status, headers, media_type="application/json")
