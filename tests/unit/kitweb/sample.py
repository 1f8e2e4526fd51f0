"""A sample application that answers in every way a route can, and what its answers look like."""

from typing import Annotated, Any

import httpx2
from fastapi import APIRouter, Depends, Query

from kit.errors import Conflict, NotFound, TooMany, Unavailable
from kit.web.app import Body
from kit.web.auth import Caller, Principal, ServiceCaller, require

JSON = {"content-type": "application/json"}


class Rename(Body):
    name: str
    tags: tuple[str, ...] = ()


class Locked(Conflict):
    slug, title = "locked", "It is locked"


router = APIRouter(prefix="/v1")


@router.get("/things/{number}")
async def thing(number: int, limit: Annotated[int, Query(le=200)] = 50) -> dict[str, int]:
    if number == 404:
        raise NotFound
    return {"number": number, "limit": limit}


@router.put("/things/{number}")
async def rename(number: int, body: Rename) -> dict[str, str]:
    return {"name": body.name}


@router.get("/locked")
async def locked() -> None:
    raise Locked("Wait for its owner.", owner="a1", status=999)


@router.get("/busy")
async def busy() -> None:
    raise TooMany(retry_after=7)


@router.get("/away")
async def away() -> None:
    raise Unavailable


@router.get("/bug")
async def bug(seen: str = "") -> None:
    raise RuntimeError("internal detail /etc/passwd")


@router.get("/me")
async def me(caller: Caller) -> dict[str, str]:
    return {"subject": caller.subject}


@router.get("/board")
async def board(caller: Annotated[Principal, Depends(require("supervisor"))]) -> dict[str, str]:
    return {"subject": caller.subject}


@router.get("/neighbour")
async def neighbour(caller: ServiceCaller) -> dict[str, str]:
    return {"subject": caller.subject}


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """Check that the answer is a problem document and nothing but one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    shown: dict[str, Any] = answer.json()
    assert shown["code"] == code
    assert shown["type"] == f"urn:peakdesk:problem:{code}"
    assert shown["status"] == status
    assert shown["title"]
    assert shown["detail"]
    assert shown["trace_id"] == answer.headers["x-trace-id"]
    for inner in ("Traceback", "site-packages", "Error(", "/etc/passwd", "File "):
        assert inner not in answer.text
    return shown


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
