"""What shop platforms tell of orders: a delivery takes effect once, a repeat answers the same."""

import hashlib
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.orders import Line, OrderState
from contracts.people import OrderId, PersonId, ShopId
from kit import outbox
from kit.clock import Clock
from kit.errors import Conflict, Unprocessable
from kit.ids import Ids, derived_id
from kit.postgres import Database
from services.orders import domain, interlocks, repository
from services.orders.domain import Order, OrderDiffers
from services.orders.models import OrderRow
from services.orders.schemas import Delivery, PaidFacts, PlacedDelivery, PlacedFacts, Receipt

FORGOTTEN_AT_ONCE: Final = 5_000
"""Receipts that one transaction deletes; the rest waits a minute. All of a long pause at once would
run into the statement's limit, each time again, and none would ever go."""


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
        if not await repository.place(session, row):
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
            await repository.facts(session, row),
            external_id=told.external_id,
            paid_fen=told.paid_fen,
            paid_at=told.paid_at,
            at=at,
        )
        if paid.events:
            paid = paid.then(interlocks.on_payment)
            row.paid_at = told.paid_at
            await repository.save(session, row, paid.order, at=at)
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


async def _known(session: AsyncSession, shop_id: ShopId, external_id: str) -> OrderRow:
    row = await repository.lock_external(session, shop_id, external_id)
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
