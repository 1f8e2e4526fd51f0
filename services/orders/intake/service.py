"""What shop platforms tell of orders, and the secrets that they sign with.

A delivery takes effect once, a repeat answers the same. Secrets are derived from one master key, so
that none is stored, and rotated by hand. What a signature is, the routes know.
"""

import asyncio
import hashlib
import hmac
from hashlib import sha256
from typing import Final

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.orders import Line, OrderState
from contracts.people import OrderId, PersonId, ShopId, runs_platform
from kit import outbox
from kit.admission import Admission, Owner
from kit.audit import Audit
from kit.clock import Clock
from kit.errors import Conflict, Unprocessable
from kit.idempotency import CommandKey
from kit.ids import Ids, derived_id
from kit.postgres import Database
from kit.web.auth import Principal
from services.orders.intake import repository
from services.orders.intake.schemas import (
    Delivery,
    IntakeSecret,
    IntakeSecretRotated,
    PaidFacts,
    PlacedDelivery,
    PlacedFacts,
    Receipt,
    show_key,
)
from services.orders.trade import domain, interlocks
from services.orders.trade import repository as orders
from services.orders.trade.domain import Order, OrderDiffers
from services.orders.trade.models import OrderRow

FORGOTTEN_AT_ONCE: Final = 5_000
"""Receipts that one transaction deletes; the rest waits a minute. All of a long pause at once would
run into the statement's limit, each time again, and none would ever go."""

FRESH_S: Final = 1.0
"""Age of the versions that a process goes by, and so the time that a rotation takes everywhere.

All are read at once and at most so often: a flood of forged deliveries, which anybody can send,
costs the database one read a second, whatever shops it names.
"""


class DeliveryReused(Unprocessable):
    """The id of the delivery came before with another body."""

    slug, title = "delivery_reused", "This webhook-id belongs to another delivery"


class OrderNotPlaced(Conflict):
    """The payment came before its order; the platform repeats it and then succeeds."""

    slug, title = "order_not_placed", "This order is not known yet: deliver order.placed first"


class Deliveries:
    """Takes deliveries whose signature held."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._db = database
        self._clock = clock
        self._ids = ids

    async def receive(
        self, shop_id: ShopId, webhook_id: str, body_hash: bytes, *, delivery: Delivery
    ) -> tuple[dict[str, object], bool]:
        """Return the receipt as JSON values, and whether it is a repeat of the first one.

        Survives repeats twice: by the delivery's id, and by the order's external id within the
        shop. Raises `DeliveryReused`, `OrderDiffers`, `OrderNotPlaced`, `IllegalTransition`.
        """
        async with self._db.write(shop_id) as session:
            first = await repository.claim_delivery(
                session, shop_id, webhook_id, body_hash=body_hash
            )
            if first is not None:
                if first.body_hash != body_hash:
                    raise DeliveryReused
                return first.answer, True
            if isinstance(delivery, PlacedDelivery):
                row = await self._place(session, shop_id, delivery.data)
            else:
                row = await self._pay(session, shop_id, delivery.data)
            receipt = _receipt(row)
            await repository.answer_delivery(session, shop_id, webhook_id, answer=receipt)
            return receipt, False

    async def forget(self) -> int:
        """Delete receipts of deliveries that no platform repeats any more; return how many."""
        async with self._db.write_across("forgetting") as session:
            return await repository.forget_deliveries(session, limit=FORGOTTEN_AT_ONCE)

    async def _place(self, session: AsyncSession, shop_id: ShopId, told: PlacedFacts) -> OrderRow:
        row = self._row(shop_id, told)
        if not await orders.place(session, row):
            known = await _known(session, shop_id, told.external_id)
            if known.facts_hash != row.facts_hash:
                raise OrderDiffers("The order is known with another buyer, address, sum or lines.")
            return known
        order = Order(
            id=OrderId(row.id),
            shop_id=shop_id,
            buyer_id=PersonId(row.buyer_id),
            state=OrderState.PLACED,
            version=row.version,
        )
        placed = domain.place(
            order,
            external_id=told.external_id,
            lines=[Line.model_validate(line.model_dump()) for line in told.lines],
            total_fen=told.total_fen,
            at=self._clock.now(),
        )
        await outbox.add(session, *placed.events)
        return row

    async def _pay(self, session: AsyncSession, shop_id: ShopId, told: PaidFacts) -> OrderRow:
        row = await _known(session, shop_id, told.external_id)
        at = self._clock.now()
        paid = domain.pay(
            await orders.facts(session, row),
            external_id=told.external_id,
            paid_fen=told.paid_fen,
            paid_at=told.paid_at,
            at=at,
        )
        if paid.events:
            paid = paid.then(interlocks.on_payment)
            row.paid_at = told.paid_at
            await orders.save(session, row, paid.order, at=at)
            await outbox.add(session, *paid.events)
        return row

    def _row(self, shop_id: ShopId, told: PlacedFacts) -> OrderRow:
        return OrderRow(
            id=self._ids.new(),
            shop_id=shop_id,
            external_id=told.external_id,
            buyer_id=derived_id("buyer", shop_id, told.buyer.external_id),
            buyer_name=told.buyer.name,
            recipient_name=told.address.name,
            recipient_phone=told.address.phone,
            recipient_address=told.address.text,
            lines=[line.model_dump() for line in told.lines],
            total_fen=told.total_fen,
            currency=told.currency,
            state=OrderState.PLACED.value,
            version=1,
            facts_hash=hashlib.sha256(told.model_dump_json().encode()).digest(),
            placed_at=told.placed_at,
        )


class Secrets:
    """Shows, rotates and derives intake secrets. Two are in force: the newest and the one before.

    A shop that never rotated has version 0 alone.
    """

    def __init__(
        self,
        database: Database,
        admission: Admission,
        audit: Audit,
        *,
        clock: Clock,
        master_key: SecretStr,
    ) -> None:
        self._db = database
        self._admission = admission
        self._audit = audit
        self._clock = clock
        self._master = master_key.get_secret_value().encode()
        self._versions: dict[str, int] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def in_force(self, shop_id: ShopId) -> list[bytes]:
        """Return the keys that a delivery of the shop may be signed with, the newest first."""
        version = (await self._known()).get(shop_id, 0)
        return [self._key(shop_id, one) for one in range(version, max(-1, version - 2), -1)]

    async def show(self, principal: Principal, shop_id: ShopId) -> IntakeSecret:
        """Return the newest secret; the look is audited. Raises `NotFound` for another shop's."""
        await self._admit(principal, shop_id)
        async with self._db.write(shop_id) as session:
            await self._audit.note(
                session, principal, "intake_secret_shown", "intake_secret", shop_id=shop_id
            )
        async with self._db.read(shop_id) as session:
            version = await repository.intake_version(session, shop_id)
        secret = show_key(self._key(shop_id, version))
        return IntakeSecret(shop_id=shop_id, version=version, secret=secret)

    async def rotate(
        self, principal: Principal, shop_id: ShopId, *, key: CommandKey
    ) -> IntakeSecretRotated:
        """Put the next secret in force; the newest until now stays so, the one before it ends.

        Audited. Raises `NotFound` for another shop's.
        """
        await self._admit(principal, shop_id)
        async with self._db.keyed(key, shop=shop_id) as command:
            version = await repository.rotate_intake(command.session, shop_id)
            await self._audit.note(
                command.session,
                principal,
                "intake_secret_rotated",
                "intake_secret",
                shop_id=shop_id,
                note=f"version {version}",
            )
            answer = await command.keep(IntakeSecretRotated(shop_id=shop_id, version=version))
        self._read_at = float("-inf")
        return answer

    async def _admit(self, principal: Principal, shop_id: ShopId) -> None:
        """Return if the caller may see and change the shop's secret: its own, or runs the platform.

        Raises `NotFound` for another shop's, audited there.
        """
        if principal.shop_id != shop_id and not runs_platform(principal.role, principal.shop_id):
            await self._admission.refuse(principal, "intake_secret", Owner(shop_id))

    async def _known(self) -> dict[str, int]:
        """Return the versions, read anew when they are old: by one task for all who wait.

        With the database away they are all told so at once, not one after the other.
        """
        if self._clock.monotonic() - self._read_at >= FRESH_S:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read())
            await asyncio.shield(self._reading)
        return self._versions

    async def _read(self) -> None:
        begun = self._clock.monotonic()
        async with self._db.read_across("versions of every shop") as session:
            self._versions = await repository.intake_versions(session)
        self._read_at = begun

    def _key(self, shop_id: ShopId, version: int) -> bytes:
        """Derive a key. Version 0 has no number in it: it was there before there were versions."""
        named = b"peakdesk.intake\n" + shop_id.encode()
        return hmac.digest(self._master, named + (b"\n%d" % version if version else b""), sha256)


async def _known(session: AsyncSession, shop_id: ShopId, external_id: str) -> OrderRow:
    row = await orders.lock_external(session, shop_id, external_id)
    if row is None:
        raise OrderNotPlaced
    return row


def _receipt(row: OrderRow) -> dict[str, object]:
    receipt = Receipt(
        order_id=row.id,
        external_id=row.external_id,
        state=OrderState(row.state),
        version=row.version,
    )
    return receipt.model_dump(mode="json")
