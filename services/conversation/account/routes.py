"""Routes about one's own account.

They take no idempotency key: a kept answer would hold secrets.
"""

from fastapi import APIRouter, Request

from kit.web.auth import Caller
from kit.web.leaving import while_there
from services.conversation.access.routes import address_of, versioned
from services.conversation.account.schemas import MeView, NewPassword
from services.conversation.account.service import Account
from services.conversation.login.schemas import SessionView


def routes(account: Account) -> APIRouter:
    """Return the routes under /v1/me."""
    router = versioned("sessions")

    @router.get("/me")
    async def show_me(principal: Caller) -> MeView:
        """Show the caller's own account."""
        return await account.me(principal)

    @router.put("/me/password")
    async def change_own_password(
        request: Request, principal: Caller, body: NewPassword
    ) -> SessionView:
        """Change one's own password: every session ends, and the answer opens a new one."""
        change = account.set_password(principal, body, address=address_of(request))
        return await while_there(request, change)

    return router
