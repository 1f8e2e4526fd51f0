"""The tables of an order and what belongs to it. Knows no rule and no session."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from services.orders.tables import Base


class OrderRow(Base):
    """An order as the shop's platform told it, and where it stands."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("shop_id", "external_id"),
        Index(None, "shop_id", "id"),
        Index(None, "shop_id", "state", "id"),
        Index(None, "shop_id", "buyer_id", "id"),
        Index(None, "shop_id", "recipient_phone", "id"),
        CheckConstraint(
            "state in ('placed', 'paid', 'released', 'printed', 'closed')", name="state"
        ),
        CheckConstraint("total_fen >= 0 and paid_fen >= 0 and refunded_fen >= 0", name="money"),
        CheckConstraint("refunded_fen <= paid_fen", name="refunded"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    external_id: Mapped[str]
    buyer_id: Mapped[str]
    buyer_name: Mapped[str]
    recipient_name: Mapped[str]
    recipient_phone: Mapped[str]
    recipient_address: Mapped[str]
    lines: Mapped[list[dict[str, Any]]]
    total_fen: Mapped[int]
    currency: Mapped[str]
    paid_fen: Mapped[int] = mapped_column(server_default="0")
    refunded_fen: Mapped[int] = mapped_column(server_default="0")
    state: Mapped[str]
    address_attempts: Mapped[int] = mapped_column(server_default="0")
    address_result: Mapped[str | None]
    ask_again_at: Mapped[datetime | None]
    version: Mapped[int]
    facts_hash: Mapped[bytes] = mapped_column(comment="of what order.placed said")
    placed_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LockRow(Base):
    """An interlock, set or cleared; `source_version` is the version of the fact that said so."""

    __tablename__ = "interlocks"

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.orders.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(primary_key=True)
    source_version: Mapped[int]
    set_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]


class RemarkRow(Base):
    """A remark; a trigger refuses to change or delete one (capability O3)."""

    __tablename__ = "remarks"
    __table_args__ = (Index(None, "order_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.orders.id"))
    author_id: Mapped[str]
    author_name: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]


class AddressCheckRow(Base):
    """One attempt to check an address with its buyer; append-only."""

    __tablename__ = "address_checks"
    __table_args__ = (Index(None, "order_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.orders.id"))
    result: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
