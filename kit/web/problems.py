"""RFC 9457 problem documents: the one form in which a caller learns of a failure.

Knows how failures are shown; must not show exception text, and decides nothing.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from kit.errors import AppError, Forbidden, NotFound, Unauthorized, Unavailable, Unprocessable
from kit.telemetry import current_trace
from kit.web.methods import allowed

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:peakdesk:problem:"

ERRORS_LIMIT: Final = 20
"""Entries of `errors[]` at most; a body with more faults shows the first ones."""

_RESERVED: Final = frozenset({"type", "title", "status", "detail", "code", "trace_id"})


class BadRequest(AppError):
    """The request cannot be understood."""

    slug, status, title = "bad_request", 400, "The request cannot be understood"


class MethodNotAllowed(AppError):
    """No route answers this method."""

    slug, status, title = "method_not_allowed", 405, "This method is not offered here"


class BodyTooLarge(AppError):
    """The body is over its limit."""

    slug, status, title = "body_too_large", 413, "The body is too large"


class UnsupportedMediaType(AppError):
    """The body is in a form we do not read."""

    slug, status, title = "unsupported_media_type", 415, "Send the body as application/json"


_FRAMEWORK_FAILURES: Final = (
    AppError,
    BadRequest,
    BodyTooLarge,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    Unauthorized,
    Unavailable,
    Unprocessable,
    UnsupportedMediaType,
)


class Fault(BaseModel):
    """One thing wrong with a request: a place in the body, or a parameter by its name."""

    detail: str
    pointer: str | None = Field(default=None, description="JSON pointer into the body")
    parameter: str | None = Field(default=None, description="query, path or header parameter")


class Problem(BaseModel):
    """What a failed request answers (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable slug for programs")
    trace_id: str
    errors: list[Fault] = Field(default_factory=list)


def document(error: AppError) -> dict[str, Any]:
    """Return the problem document of a failure; the socket serialises the same one."""
    step = current_trace()
    shown: dict[str, Any] = {
        "type": TYPE_PREFIX + error.slug,
        "title": error.title,
        "status": error.status,
        "detail": error.detail or error.title,
        "code": error.slug,
        "trace_id": step.trace_id if step else "",
    }
    return shown | {key: item for key, item in error.extras.items() if key not in _RESERVED}


def render(error: AppError, headers: Mapping[str, str] | None = None) -> Response:
    """Return the response of a failure, with the headers its status asks for."""
    extra = dict(headers or {})
    if error.retry_after is not None:
        extra["retry-after"] = str(error.retry_after)
    if error.status == HTTPStatus.UNAUTHORIZED:
        extra.setdefault("www-authenticate", 'Bearer realm="peakdesk"')
    body = json.dumps(document(error), ensure_ascii=False, default=str).encode()
    return Response(body, status_code=error.status, media_type=MEDIA_TYPE, headers=extra)


def install(app: FastAPI) -> None:
    """Make every failure of the application a problem document."""
    app.add_exception_handler(AppError, _on_app_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


def of_status(status: int, detail: str = "") -> AppError:
    """Return a failure that is known by its HTTP status alone, as frameworks raise it."""
    return _class_of(status)(detail)


def invalid(errors: Sequence[Mapping[str, Any]]) -> AppError:
    """Return the failure of a request with these errors: each has `loc` and `msg`, as pydantic's.

    A use case raises it for what no type can refuse.
    """
    failure = of_status(422, "Correct what `errors` names and send the request again.")
    failure.extras["errors"] = faults(errors)
    return failure


def faults(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Turn pydantic's errors into places and reasons; never repeats what was sent."""
    return [_fault(error) for error in errors[:ERRORS_LIMIT]]


def pointer(path: Sequence[str | int]) -> str:
    """Return the JSON pointer of a path, in its URI fragment form (`#/items/0`)."""
    return "#" + "".join("/" + str(p).replace("~", "~0").replace("/", "~1") for p in path)


def _class_of(status: int) -> type[AppError]:
    known = {kind.status: kind for kind in _FRAMEWORK_FAILURES}
    if status in known:
        return known[status]
    named = HTTPStatus(status)
    shown = {"slug": named.name.lower(), "status": status, "title": named.phrase}
    return type("FrameworkFailure", (AppError,), shown)


def _fault(error: Mapping[str, Any]) -> dict[str, str]:
    detail = str(error["msg"]).removeprefix("Value error, ")
    where, *path = error["loc"] or ("body",)
    if where == "body":
        return {"pointer": pointer(path), "detail": detail}
    return {"parameter": ".".join(map(str, path)) or str(where), "detail": detail}


async def _on_app_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)
    return render(error)


async def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return render(invalid(error.errors()))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = allowed(request.scope)
    return render(of_status(error.status_code), headers)
