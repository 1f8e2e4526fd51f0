"""What is kept of deliveries, and the versions of intake secrets. Knows no rule."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, func
from sqlalchemy.orm import Mapped, mapped_column

from services.orders.tables import Base


class ReceiptRow(Base):
    """The first answer to each signed delivery, so that a repeat gets the same one."""

    __tablename__ = "intake_receipts"
    __table_args__ = (Index(None, "received_at"),)

    shop_id: Mapped[str] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes]
    answer: Mapped[dict[str, Any]]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())


class IntakeSecretRow(Base):
    """Which version a shop's newest intake secret has; shops that never rotated have no row."""

    __tablename__ = "intake_secrets"

    shop_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    rotated_at: Mapped[datetime] = mapped_column(server_default=func.now())
