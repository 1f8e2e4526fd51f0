"""The route by which a service shows its audit. Who may read it is said by the service.

Merging the audits of several services is the console's.
"""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from kit.audit import AuditEntry, AuditFilter, AuditPages
from kit.web.auth import Principal, require
from kit.web.paging import Page


def routes(service: str, audit: AuditPages, *, roles: Iterable[str]) -> APIRouter:
    """Return GET /v1/audit/<service>, for these roles alone."""
    router = APIRouter(prefix="/v1/audit", tags=["audit"])
    admitted = require(*roles)

    @router.get(f"/{service}")
    async def list_audit(
        principal: Annotated[Principal, Depends(admitted)],
        wanted: Annotated[AuditFilter, Query()],
    ) -> Page[AuditEntry]:
        """List who did, or tried, what in the shop, newest first."""
        return await audit.page(principal, wanted)

    return router
