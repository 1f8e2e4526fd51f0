"""Routes that open, renew and end sessions.

They take no idempotency key, for a kept answer would hold secrets.
"""

from fastapi import APIRouter, Request

from kit.web.auth import Caller
from kit.web.leaving import while_there
from services.conversation.access.routes import address_of, client_of, versioned
from services.conversation.login.schemas import (
    BuyerLogin,
    Done,
    Login,
    Refresh,
    SessionView,
    VisitorLogin,
)
from services.conversation.login.service import Sessions


def routes(sessions: Sessions) -> APIRouter:
    """Return the routes under /v1/sessions."""
    router = versioned("sessions")

    @router.post("/sessions", status_code=201)
    async def sign_in(request: Request, body: Login) -> SessionView:
        """Sign in as staff."""
        login = sessions.login(
            body.login, body.password, address=address_of(request), client=client_of(request)
        )
        return await while_there(request, login)

    @router.post("/sessions/refresh")
    async def renew_session(body: Refresh) -> SessionView:
        """Spend a refresh token on a new pair."""
        return await sessions.refresh(body.refresh_token)

    @router.post("/sessions/end")
    async def end_session(body: Refresh) -> Done:
        """End one session: nothing renews it, and its open sockets are closed within seconds."""
        await sessions.end(body.refresh_token)
        return Done()

    @router.delete("/sessions")
    async def sign_out(principal: Caller) -> Done:
        """End all of the caller's sessions; open sockets are closed within seconds."""
        await sessions.logout(principal)
        return Done()

    @router.post("/sessions/buyer", status_code=201)
    async def exchange_shop_token(request: Request, body: BuyerLogin) -> SessionView:
        """Exchange a token that a shop signed for its buyer."""
        return await sessions.buyer(body.shop_id, body.token, client=client_of(request))

    @router.post("/sessions/visitor", status_code=201)
    async def begin_visit(request: Request, body: VisitorLogin) -> SessionView:
        """Come in without an account."""
        return await sessions.visitor(
            body.shop_id, body.name, address=address_of(request), client=client_of(request)
        )

    return router
