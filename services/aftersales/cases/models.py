"""The tables of payments, cases and their deadlines. Knows no rule."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.aftersales import CaseKind
from services.aftersales.tables import Base


class PaymentRow(Base):
    """What was paid for an order, and what of it is promised back or gone back.

    The check is the last word on refunds: whatever the code does, no more than was paid goes back.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint(
            "paid_fen > 0 and reserved_fen >= 0 and refunded_fen >= 0"
            " and reserved_fen + refunded_fen <= paid_fen",
            name="never_above_paid",
        ),
    )

    order_id: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    buyer_id: Mapped[str]
    external_id: Mapped[str]
    paid_fen: Mapped[int]
    reserved_fen: Mapped[int] = mapped_column(server_default="0")
    refunded_fen: Mapped[int] = mapped_column(server_default="0")
    currency: Mapped[str]
    paid_at: Mapped[datetime]


class CaseRow(Base):
    """An after-sales case. The buyer's own reason is never overwritten (capability A14)."""

    __tablename__ = "cases"
    __table_args__ = (
        Index(None, "shop_id", "id"),
        Index(None, "shop_id", "state", "id"),
        Index(None, "shop_id", "buyer_id", "id"),
        Index(None, "shop_id", "order_id", "id"),
        CheckConstraint(
            "state in ('requested', 'reviewed', 'refunded', 'rejected', 'closed')", name="state"
        ),
        CheckConstraint("amount_fen > 0", name="amount"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    order_id: Mapped[str] = mapped_column(ForeignKey("aftersales.payments.order_id"))
    buyer_id: Mapped[str]
    kind: Mapped[CaseKind] = mapped_column(Text)
    state: Mapped[str]
    version: Mapped[int]
    amount_fen: Mapped[int]
    currency: Mapped[str]
    buyer_reason: Mapped[str]
    agreed_reason: Mapped[str | None]
    due_at: Mapped[datetime | None]
    review_note: Mapped[str] = mapped_column(server_default="")
    reviewed_by: Mapped[str | None]
    refunded_by: Mapped[str | None]
    opened_by: Mapped[str]
    opened_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class DeadlineRow(Base):
    """When a case must leave a state, as the release before kept it; nothing reads this any more.

    While both run, triggers carry what the older one writes here to `cases` and `timers`. The
    release after this one takes the table away.
    """

    __tablename__ = "deadlines"
    __table_args__ = (
        Index("ix_deadlines_unwarned", "warn_at", postgresql_where="warned_at is null"),
    )

    case_id: Mapped[str] = mapped_column(ForeignKey("aftersales.cases.id"), primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    warn_at: Mapped[datetime]
    warned_at: Mapped[datetime | None]
