"""Who calls a route: the bearer token turned into a `Principal`, roles asked for by name.

Knows the roles' values only as strings; what a role may do is written at the route.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from kit.errors import Forbidden, Unauthorized
from kit.web.passwords import Passwords, UnfitPassword
from kit.web.tokens import (
    PEOPLE,
    SERVICE_ROLE,
    SERVICES,
    BadToken,
    KeyPair,
    Principal,
    ServiceTokens,
    TokenExpired,
    TokenIssuer,
    TokenVerifier,
    generate_keypair,
)

__all__ = [
    "PEOPLE",
    "SERVICES",
    "SERVICE_ROLE",
    "BadToken",
    "Caller",
    "CallerToken",
    "KeyPair",
    "Passwords",
    "Principal",
    "ServiceCaller",
    "ServiceTokens",
    "TokenExpired",
    "TokenIssuer",
    "TokenVerifier",
    "UnfitPassword",
    "Verifiers",
    "generate_keypair",
    "never_revoked",
    "require",
    "service_caller",
]

INTRODUCED: Final = "peakdesk.introduced"
"""Key in a request's state: whom to tell that its token was verified (`kit.web.capacity`)."""

_BEARER: Final = HTTPBearer(auto_error=False, description="A PeakDesk token")


def never_revoked(_principal: Principal) -> bool:
    """Withdraw no token: its signature and end decide."""
    return False


@dataclass(frozen=True)
class Verifiers:
    """The token checks of one application, kept in its state by `create_app`."""

    people: TokenVerifier | None = None
    services: TokenVerifier | None = None
    revoked: Callable[[Principal], bool] = never_revoked
    """Tells whether a good token was withdrawn since (H13); the gateway knows."""


async def _authenticated(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Principal:
    verifiers = _verifiers(request)
    principal = _verified(request, verifiers.people, credentials)
    if verifiers.revoked(principal):
        raise BadToken
    return principal


async def service_caller(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Principal:
    """Dependency of internal routes: the neighbour service that calls."""
    principal = _verified(request, _verifiers(request).services, credentials)
    if principal.role != SERVICE_ROLE:
        raise Forbidden
    return principal


Caller = Annotated[Principal, Depends(_authenticated)]
"""A route's parameter: whoever holds the request's token."""


async def _verified_token(
    principal: Caller,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> str:
    del principal  # asked for, so that the token below is the one that was verified
    assert credentials is not None
    return credentials.credentials


CallerToken = Annotated[str, Depends(_verified_token)]
"""A route's parameter: the verified token itself, for whoever passes a request on (H41)."""

ServiceCaller = Annotated[Principal, Depends(service_caller)]
"""An internal route's parameter: the neighbour that calls."""


def require(*roles: str) -> Callable[[Principal], Awaitable[Principal]]:
    """Return a dependency that admits these roles alone; others get 403.

    Use it as `Supervisor = Annotated[Principal, Depends(require(Role.SUPERVISOR, Role.ADMIN))]`.
    """
    admitted = frozenset(str(role) for role in roles)

    async def admitted_caller(principal: Caller) -> Principal:
        if principal.role not in admitted:
            raise Forbidden
        return principal

    return admitted_caller


def _verifiers(request: Request) -> Verifiers:
    verifiers = request.app.state.verifiers
    if not isinstance(verifiers, Verifiers):
        raise TypeError("the application was not built by kit.web.app.create_app")
    return verifiers


def _verified(
    request: Request,
    verifier: TokenVerifier | None,
    credentials: HTTPAuthorizationCredentials | None,
) -> Principal:
    if verifier is None:
        raise Unauthorized("This address takes no such token.")
    if credentials is None:
        raise Unauthorized("Send the token as `Authorization: Bearer <token>`.")
    principal = verifier.verify(credentials.credentials)
    introduced = request.scope.get("state", {}).get(INTRODUCED)
    if introduced is not None:
        introduced()
    return principal
