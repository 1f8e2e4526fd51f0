"""The store of deliveries and of intake secrets' versions. Knows SQL, decides nothing."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId
from services.orders.intake.models import IntakeSecretRow, ReceiptRow

RECEIPTS_KEPT: Final = timedelta(days=14)
"""Longer than platforms repeat a delivery; the external id stops a second order even later."""


async def claim_delivery(
    session: AsyncSession, shop_id: ShopId, webhook_id: str, *, body_hash: bytes
) -> ReceiptRow | None:
    """Claim a delivery; return the receipt of the first one if there was one.

    A twin under way is waited for: its commit makes this call return its receipt.
    """
    values = {"shop_id": shop_id, "webhook_id": webhook_id, "body_hash": body_hash, "answer": {}}
    claimed = await session.execute(
        insert(ReceiptRow).values(values).on_conflict_do_nothing().returning(ReceiptRow.webhook_id)
    )
    if claimed.one_or_none() is not None:
        return None
    return await session.get(ReceiptRow, (shop_id, webhook_id))


async def answer_delivery(
    session: AsyncSession, shop_id: ShopId, webhook_id: str, *, answer: dict[str, object]
) -> None:
    """Keep the first answer to a claimed delivery."""
    claimed = (ReceiptRow.shop_id == shop_id) & (ReceiptRow.webhook_id == webhook_id)
    await session.execute(update(ReceiptRow).where(claimed).values(answer=answer))


async def intake_version(session: AsyncSession, shop_id: ShopId) -> int:
    """Return the version of the shop's newest intake secret; 0 if it never rotated."""
    query = select(IntakeSecretRow.version).where(IntakeSecretRow.shop_id == shop_id)
    return (await session.execute(query)).scalar_one_or_none() or 0


async def intake_versions(session: AsyncSession) -> dict[str, int]:
    """Return the newest versions of all shops that have rotated: one short row each."""
    rows = await session.execute(select(IntakeSecretRow.shop_id, IntakeSecretRow.version))
    return {row.shop_id: row.version for row in rows}


async def rotate_intake(session: AsyncSession, shop_id: ShopId) -> int:
    """Count the shop's version up and return it; two at once count twice."""
    statement = (
        insert(IntakeSecretRow)
        .values(shop_id=shop_id, version=1)
        .on_conflict_do_update(
            index_elements=[IntakeSecretRow.shop_id],
            set_={"version": IntakeSecretRow.version + 1, "rotated_at": func.now()},
        )
        .returning(IntakeSecretRow.version)
    )
    return (await session.execute(statement)).scalar_one()


async def forget_deliveries(session: AsyncSession, *, limit: int) -> int:
    """Delete at most `limit` receipts older than `RECEIPTS_KEPT`; return how many."""
    old = select(ReceiptRow.shop_id, ReceiptRow.webhook_id).where(
        ReceiptRow.received_at < func.now() - RECEIPTS_KEPT
    )
    names = tuple_(ReceiptRow.shop_id, ReceiptRow.webhook_id)
    gone = delete(ReceiptRow).where(names.in_(old.limit(limit))).returning(ReceiptRow.webhook_id)
    return len((await session.execute(gone)).all())
