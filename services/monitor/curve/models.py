"""Waits by minute, and how far they are counted."""

from datetime import date

from sqlalchemy import Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from kit import row_security
from services.monitor.tables import Base


class WaitingMinuteRow(Base):
    """How many waits of a shop began and ended in a minute, as one partition's rounds add up."""

    __tablename__ = "waiting_minutes"
    __table_args__ = (Index(None, "shop_id", "day"),)

    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    shop_id: Mapped[str] = mapped_column(primary_key=True)
    minute: Mapped[int] = mapped_column(primary_key=True, comment="since 1970")
    day: Mapped[date] = mapped_column(comment="the shop's local day")
    opened: Mapped[int]
    closed: Mapped[int]
    carried: Mapped[int] = mapped_column(comment="waits that went on over the day's midnight")


class WaitingMarkRow(Base):
    """Through which offset the minutes of a partition are counted."""

    __tablename__ = "waiting_marks"
    __table_args__ = (
        {"info": row_security.exempt("how far the log is folded, which holds what all shops say")},
    )

    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    counted_to: Mapped[int] = mapped_column(
        comment="another one than the fold's: a release that does not count folded meanwhile"
    )
