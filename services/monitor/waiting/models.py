"""Thresholds that were passed."""

from sqlalchemy import Index, Integer, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from services.monitor.tables import Base


class FiringRow(Base):
    """A waiting threshold that was passed and told."""

    __tablename__ = "firings"
    __table_args__ = (
        Index(None, "shop_id", "due_ms"),
        {"comment": "thresholds that fired, each once (H21)"},
    )

    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    waiting_offset: Mapped[int] = mapped_column(
        primary_key=True, comment="since which record the buyer waits for a person"
    )
    threshold_s: Mapped[int] = mapped_column(Integer, primary_key=True)
    profile: Mapped[str] = mapped_column(comment="the strictest of those that have the threshold")
    profiles: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    shop_id: Mapped[str]
    conversation_id: Mapped[str]
    due_ms: Mapped[int]
    late_ms: Mapped[int]
    alert_id: Mapped[str | None] = mapped_column(comment="null: told by an older release")
    agent_id: Mapped[str | None] = mapped_column(comment="who had the buyer then; null: nobody")
