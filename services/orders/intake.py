"""The door for shop platforms: signed deliveries of orders (Standard Webhooks), and their secret.

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
from pydantic import SecretStr

from contracts.people import Role, ShopId
from kit.clock import Clock
from kit.errors import Unauthorized
from kit.web.auth import Principal, require
from services.orders.schemas import Delivery, IntakeSecret, Receipt, ShopSlug
from services.orders.service import Access, Deliveries

TOLERANCE: Final = timedelta(minutes=5)
"""How far a delivery's timestamp may lie from our clock, on either side."""

HEADER_LIMIT: Final = 1024
"""Characters of a webhook header; a longer one is refused unread."""

SIGNATURES_LIMIT: Final = 8
"""Signatures checked of one delivery: two secrets during rotation, and room."""

_PREFIX: Final = "whsec_"

Admin = Annotated[Principal, Depends(require(Role.ADMIN))]


class BadSignature(Unauthorized):
    """The delivery is not from the shop, not for it, or too old. Never says which."""

    slug, title = "bad_signature", "The signature does not fit the delivery"


@dataclass(frozen=True, slots=True)
class Envelope:
    """The headers of a delivery, as they came."""

    id: str
    timestamp: str
    signatures: str


class Secrets:
    """Each shop's webhook secret, derived from one master key, so that none is stored."""

    def __init__(self, master_key: SecretStr) -> None:
        self._master = master_key.get_secret_value().encode()

    def of(self, shop_id: ShopId) -> str:
        """Return the shop's secret as Standard Webhooks writes it."""
        return _PREFIX + base64.b64encode(self._key(shop_id)).decode()

    def verify(self, shop_id: ShopId, envelope: Envelope, *, body: bytes, clock: Clock) -> None:
        """Return if the shop signed these very bytes lately. Raises `BadSignature`.

        Every candidate is compared, in constant time.
        """
        if not envelope.id or max(map(len, astuple(envelope))) > HEADER_LIMIT:
            raise BadSignature
        names = f"{envelope.id}.{envelope.timestamp}.".encode("latin-1")
        expected = hmac.digest(self._key(shop_id), names + body, hashlib.sha256)
        fits = [hmac.compare_digest(expected, given) for given in _signatures(envelope.signatures)]
        if not any(fits) or not _recent(envelope.timestamp, clock):
            raise BadSignature

    def _key(self, shop_id: ShopId) -> bytes:
        return hmac.digest(self._master, b"peakdesk.intake\n" + shop_id.encode(), hashlib.sha256)


@dataclass(frozen=True, slots=True)
class Signed:
    """A delivery whose signature held."""

    shop_id: ShopId
    webhook_id: str
    body_hash: bytes


def router(*, deliveries: Deliveries, access: Access, secrets: Secrets, clock: Clock) -> APIRouter:
    """Return the routes of the intake."""
    made = APIRouter(tags=["intake"])

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
        envelope = Envelope(webhook_id, webhook_timestamp, webhook_signature)
        secrets.verify(ShopId(shop_id), envelope, body=body, clock=clock)
        return Signed(ShopId(shop_id), webhook_id, hashlib.sha256(body).digest())

    @made.post("/v1/intake/{shop_id}/orders", response_model=Receipt)
    async def take_delivery(
        by: Annotated[Signed, Depends(signed)], delivery: Delivery
    ) -> JSONResponse:
        """Take `order.placed` or `order.paid` from a shop's platform; a repeat answers the same."""
        answer, replayed = await deliveries.receive(
            by.shop_id, by.webhook_id, by.body_hash, delivery=delivery
        )
        return JSONResponse(answer, headers={"Idempotent-Replayed": "true"} if replayed else None)

    @made.get("/v1/intake/{shop_id}/secret")
    async def show_intake_secret(shop_id: ShopSlug, who: Admin) -> IntakeSecret:
        """Show the secret that the shop signs its deliveries with; each look is audited."""
        shop = ShopId(shop_id)
        await access.admit_to_secret(who, shop)
        return IntakeSecret(shop_id=shop, secret=secrets.of(shop))

    return made


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
