"""Routes about one's own account and sessions.

They take no idempotency key: a kept answer would hold secrets.
"""

from fastapi import APIRouter, Request

from kit.web.auth import Caller
from kit.web.leaving import while_there
from services.conversation.access.routes import SessionPath, address_of, versioned
from services.conversation.account.schemas import MeView, NewPassword, OwnSessions
from services.conversation.account.service import Account
from services.conversation.login.schemas import Done


def routes(account: Account) -> APIRouter:
    """Return the routes under /v1/me, and those of one's own sessions."""
    router = versioned("sessions")

    @router.get("/me")
    async def show_me(principal: Caller) -> MeView:
        """Show the caller's own account."""
        return await account.me(principal)

    @router.get("/sessions")
    async def list_own_sessions(principal: Caller) -> OwnSessions:
        """List where the caller is signed in."""
        return await account.sessions_of(principal)

    @router.delete("/sessions/{sid}")
    async def end_own_session(principal: Caller, sid: SessionPath) -> Done:
        """End one of the caller's sessions; its open sockets are closed within seconds."""
        await account.end_session(principal, sid)
        return Done()

    @router.put("/me/password")
    async def change_own_password(request: Request, principal: Caller, body: NewPassword) -> Done:
        """Change one's own password: every session ends but the one that asks."""
        await while_there(
            request, account.set_password(principal, body, address=address_of(request))
        )
        return Done()

    return router
