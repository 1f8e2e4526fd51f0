"""Inquiries over REST. Knows who may see whose."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from kit.web.auth import Caller
from services.monitor.access.principals import only, own_shop
from services.monitor.access.schemas import CSV, OR_A_FILE, Accept, wants_file
from services.monitor.inquiries.schemas import Inquiries, InquiriesQuery
from services.monitor.inquiries.service import InquiryReader


def reading(inquiries: InquiryReader) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/inquiries", response_model=Inquiries, responses=OR_A_FILE)
    async def read_inquiries(
        principal: Caller, query: Annotated[InquiriesQuery, Query()], accept: Accept = ""
    ) -> Inquiries | Response:
        """Return who asked and was received; an agent is answered with his own.

        With `Accept: text/csv` they are a file for spreadsheets, the same rows in it.
        """
        shop_id = own_shop(principal, query.shop)
        if wants_file(accept):
            text = await inquiries.as_csv(shop_id, query, only=only(principal))
            return Response(text, media_type=CSV)
        return await inquiries.read(shop_id, query, only=only(principal))

    return router
