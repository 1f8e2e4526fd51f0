"""Messages and flags by day."""

from datetime import date

from sqlalchemy import Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from services.monitor.tables import Base


class TrafficRow(Base):
    """Messages and flags of a shop's day in one partition."""

    __tablename__ = "traffic"
    __table_args__ = (Index(None, "shop_id", "day"), Index(None, "day"))

    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    shop_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    buyer_messages: Mapped[int]
    agent_messages: Mapped[int]
    other_messages: Mapped[int]
    flags_agent: Mapped[int]
    flags_buyer: Mapped[int]
    as_of_ms: Mapped[int] = mapped_column(comment="newest event of the shop")
    revision: Mapped[int] = mapped_column(comment="next offset when last touched")
