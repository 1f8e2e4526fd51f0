"""Findings over REST. Knows who may see and judge what, and who wants a file."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from kit.web.auth import Caller
from kit.web.idempotency import IdempotencyKey
from kit.web.paging import Page
from services.monitor.access.principals import Shop, Watcher, only, own_shop
from services.monitor.access.schemas import CSV, OR_A_FILE, Accept, wants_file
from services.monitor.findings.schemas import (
    FindingFeedback,
    FindingOpinion,
    FindingsQuery,
    FindingsReport,
    FindingsReportQuery,
    FindingView,
    Rulebook,
)
from services.monitor.findings.service import Findings

FlagPath = Annotated[str, Path(pattern=r"^\d{1,5}-\d{1,9}-\d{1,16}-[a-z_]{2,16}$")]


def routes(findings: Findings) -> APIRouter:
    """Return the public routes."""
    router = APIRouter(prefix="/v1/monitor", tags=["monitor"])

    @router.get("/reception")
    async def list_reception(
        principal: Caller, query: Annotated[FindingsQuery, Query()]
    ) -> Page[FindingView]:
        """List flags of how agents received buyers, newest first; an agent is shown his own."""
        shop_id = own_shop(principal, query.shop)
        return await findings.page(shop_id, query, only=only(principal))

    @router.get("/reception/rules")
    async def read_rules(principal: Caller, shop: Shop) -> Rulebook:
        """Return the rules of reception in force, with their numbers and phrases."""
        only(principal)
        own_shop(principal, shop)
        return findings.rules()

    @router.post("/reception/{flag_id}/feedback")
    async def judge_reception(
        *, principal: Caller, key: IdempotencyKey, flag_id: FlagPath, opinion: FindingOpinion
    ) -> FindingFeedback:
        """Say what one makes of a flag, an agent of his own alone; a leader's `not_bad` counts."""
        return await findings.judge(principal, flag_id, opinion, key=key, only=only(principal))

    @router.get("/reports/reception", response_model=FindingsReport, responses=OR_A_FILE)
    async def read_report(
        principal: Watcher, query: Annotated[FindingsReportQuery, Query()], accept: Accept = ""
    ) -> FindingsReport | Response:
        """Return how often rules of reception were broken; `Accept: text/csv` a file."""
        shop_id = own_shop(principal, query.shop)
        if wants_file(accept):
            return Response(await findings.report_csv(shop_id, query), media_type=CSV)
        return await findings.report(shop_id, query)

    return router
