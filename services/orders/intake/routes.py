"""The door for shop platforms: signed deliveries of orders (Standard Webhooks), and their secrets.

Checks the signature over the raw bytes before anything is read from them. Knows HTTP and the
signature; what an order is, the service knows.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse

from contracts.people import Role, ShopId
from kit.clock import Clock
from kit.errors import Unauthorized
from kit.web.auth import Principal, require
from kit.web.idempotency import IdempotencyKey
from services.orders.intake.schemas import (
    Delivery,
    IntakeSecret,
    IntakeSecretRotated,
    Receipt,
    ShopSlug,
)
from services.orders.intake.service import Deliveries, Secrets

TOLERANCE: Final = timedelta(minutes=5)
"""How far a delivery's timestamp may lie from our clock, on either side."""

HEADER_LIMIT: Final = 1024
"""Characters of a webhook header; a longer one is refused unread."""

SIGNATURES_LIMIT: Final = 8
"""Signatures checked of one delivery: two secrets during rotation, and room."""

Admin = Annotated[Principal, Depends(require(Role.ADMIN))]


class BadSignature(Unauthorized):
    """The delivery is not from the shop, not for it, or too old. Never says which."""

    slug, title = "bad_signature", "The signature does not fit the delivery"


@dataclass(frozen=True, slots=True)
class SignedHeaders:
    """The headers of a delivery, as they came."""

    id: str
    timestamp: str
    signatures: str


def verify(keys: Sequence[bytes], headers: SignedHeaders, *, body: bytes, clock: Clock) -> None:
    """Return if one of the keys signed these very bytes lately. Raises `BadSignature`.

    Every key is compared with every candidate, in constant time.
    """
    if not headers.id or max(map(len, astuple(headers))) > HEADER_LIMIT:
        raise BadSignature
    names = f"{headers.id}.{headers.timestamp}.".encode("latin-1")
    expected = [hmac.digest(key, names + body, hashlib.sha256) for key in keys]
    given = _signatures(headers.signatures)
    fits = [hmac.compare_digest(one, other) for one in expected for other in given]
    if not any(fits) or not _recent(headers.timestamp, clock):
        raise BadSignature


@dataclass(frozen=True, slots=True)
class Signed:
    """A delivery whose signature held."""

    shop_id: ShopId
    webhook_id: str
    body_hash: bytes


def routes(*, deliveries: Deliveries, secrets: Secrets, clock: Clock) -> APIRouter:
    """Return the routes of the intake."""
    router = APIRouter(tags=["intake"])

    async def signed(
        *,
        shop_id: ShopSlug,
        request: Request,
        webhook_id: Annotated[str, Header(description="the delivery's id; a repeat keeps it")] = "",
        webhook_timestamp: Annotated[str, Header(description="seconds since 1970")] = "",
        webhook_signature: Annotated[str, Header(description="`v1,` and base64")] = "",
    ) -> Signed:
        """Check the raw bytes; FastAPI resolves this before it looks at the body's fields."""
        body = await request.body()
        headers = SignedHeaders(webhook_id, webhook_timestamp, webhook_signature)
        keys = await secrets.in_force(ShopId(shop_id))
        verify(keys, headers, body=body, clock=clock)
        return Signed(ShopId(shop_id), webhook_id, hashlib.sha256(body).digest())

    @router.post("/v1/intake/{shop_id}/orders", response_model=Receipt)
    async def take_delivery(
        by: Annotated[Signed, Depends(signed)], delivery: Delivery
    ) -> JSONResponse:
        """Take `order.placed` or `order.paid` from a shop's platform; a repeat answers the same."""
        answer, replayed = await deliveries.receive(
            by.shop_id, by.webhook_id, by.body_hash, delivery=delivery
        )
        return JSONResponse(answer, headers={"Idempotent-Replayed": "true"} if replayed else None)

    @router.get("/v1/intake/{shop_id}/secret")
    async def show_intake_secret(shop_id: ShopSlug, principal: Admin) -> IntakeSecret:
        """Show the newest secret that the shop signs its deliveries with; each look is audited."""
        return await secrets.show(principal, ShopId(shop_id))

    @router.post("/v1/intake/{shop_id}/secret-rotations", status_code=201)
    async def rotate_intake_secret(
        shop_id: ShopSlug, principal: Admin, key: IdempotencyKey
    ) -> IntakeSecretRotated:
        """Make a new secret; the one before stays good until the next rotation. Audited."""
        return await secrets.rotate(principal, ShopId(shop_id), key=key)

    return router


def _signatures(offered: str) -> Sequence[bytes]:
    found = []
    for part in offered.split(" ")[:SIGNATURES_LIMIT]:
        version, _, text = part.partition(",")
        try:
            found.append(base64.b64decode(text, validate=True) if version == "v1" else b"")
        except (binascii.Error, ValueError):
            found.append(b"")
    return found


def _recent(timestamp: str, clock: Clock) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit()):
        return False
    return abs(clock.now().timestamp() - int(timestamp)) <= TOLERANCE.total_seconds()
