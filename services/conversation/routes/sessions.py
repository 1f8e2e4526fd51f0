"""Routes that open, renew and end sessions.

They take no idempotency key, for a kept answer would hold secrets.
"""

from fastapi import APIRouter, Request

from kit.web.auth import Caller
from kit.web.leaving import while_there
from services.conversation.routes import router
from services.conversation.schemas.people import (
    BuyerLogin,
    Done,
    Login,
    Refresh,
    SessionView,
    VisitorLogin,
)
from services.conversation.service.sessions import Sessions


def routes(sessions: Sessions) -> APIRouter:
    """Return the routes under /v1/sessions."""
    api = router("sessions")

    @api.post("/sessions", status_code=201)
    async def sign_in(request: Request, wish: Login) -> SessionView:
        """Sign in as staff."""
        login = sessions.login(wish.login, wish.password, address=_address(request))
        return await while_there(request, login)

    @api.post("/sessions/refresh")
    async def renew_session(wish: Refresh) -> SessionView:
        """Spend a refresh token on a new pair."""
        return await sessions.refresh(wish.refresh_token)

    @api.delete("/sessions")
    async def sign_out(caller: Caller) -> Done:
        """End all of the caller's sessions; open sockets are closed within seconds."""
        await sessions.logout(caller)
        return Done()

    @api.post("/sessions/buyer", status_code=201)
    async def exchange_shop_token(wish: BuyerLogin) -> SessionView:
        """Exchange a token that a shop signed for its buyer (H13)."""
        return await sessions.buyer(wish.shop_id, wish.token)

    @api.post("/sessions/visitor", status_code=201)
    async def begin_visit(request: Request, wish: VisitorLogin) -> SessionView:
        """Come in without an account."""
        return await sessions.visitor(wish.shop_id, wish.name, address=_address(request))

    return api


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
