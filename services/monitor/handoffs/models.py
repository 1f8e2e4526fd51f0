"""Buyers of whom conversation was told before their wait was too long."""

from sqlalchemy import Index, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from services.monitor.tables import Base


class LongWaitRow(Base):
    """A wait of which conversation was told, so that it may ask a colleague."""

    __tablename__ = "long_waits"
    __table_args__ = (
        Index(None, "shop_id", "due_ms"),
        {"comment": "waits that a colleague may be asked to answer, each told once"},
    )

    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    waiting_offset: Mapped[int] = mapped_column(
        primary_key=True, comment="since which record the buyer waits for a person"
    )
    shop_id: Mapped[str]
    conversation_id: Mapped[str]
    agent_id: Mapped[str]
    due_ms: Mapped[int]
    breach_ms: Mapped[int]
    late_ms: Mapped[int]
