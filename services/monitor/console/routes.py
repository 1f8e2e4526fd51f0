"""What a screen must know of its shop, over REST. Knows who may see it."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header
from starlette.responses import Response

from contracts.people import Role, ShopId
from kit.web.auth import Principal, require
from kit.web.unchanged import etag_of, has
from services.monitor.console.schemas import ConsoleFacts
from services.monitor.console.service import Console

STAFF: Final = frozenset(Role) - {Role.BUYER}
Staff = Annotated[Principal, Depends(require(*STAFF))]


def reading(console: Console) -> APIRouter:
    """Return the public route."""
    router = APIRouter(prefix="/v1/console", tags=["monitor"])

    @router.get(
        "",
        response_model=ConsoleFacts,
        responses={304: {"description": "What If-None-Match names still holds."}},
    )
    async def read_console(
        principal: Staff, if_none_match: Annotated[str, Header()] = ""
    ) -> Response:
        """Return what a screen of the caller's shop must know before it shows anything."""
        body = console.facts(ShopId(principal.shop_id)).model_dump_json().encode()
        etag = etag_of(body)
        if has(if_none_match, etag):
            return Response(status_code=304, headers={"ETag": etag})
        return Response(body, media_type="application/json", headers={"ETag": etag})

    return router
