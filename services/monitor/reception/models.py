"""Flags of reception, and by which rules conversations were looked at."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Index, Integer, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.monitor.tables import Base


class ReceptionRow(Base):
    """A flag: one for each rule, session and agent; it grows in place. No text."""

    __tablename__ = "reception"
    __table_args__ = (
        Index(None, "shop_id", "at_ms", "flag_id"),
        Index(None, "shop_id", "agent_id", "at_ms", "flag_id"),
        Index(
            "ix_reception_to_tell",
            "due_ms",
            postgresql_where=text("told_severity < severity and times > 0 and not excused"),
        ),
    )

    flag_id: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(SmallInteger)
    partition: Mapped[int] = mapped_column(Integer)
    offset: Mapped[int]
    rule: Mapped[str]
    shop_id: Mapped[str]
    conversation_id: Mapped[str]
    agent_id: Mapped[str]
    session: Mapped[int] = mapped_column(comment="the offset where it began")
    born_offset: Mapped[int] = mapped_column(comment="the conversation's first record")
    at_ms: Mapped[int]
    due_ms: Mapped[int] = mapped_column(comment="what is said until then may take it back")
    excused: Mapped[bool] = mapped_column(comment="the shop was unstaffed: nobody is charged")
    severity: Mapped[int] = mapped_column(SmallInteger)
    times: Mapped[int] = mapped_column(comment="0: it was taken back")
    seconds: Mapped[int] = mapped_column(comment="that buyers waited, all together")
    offsets: Mapped[list[int]] = mapped_column(ARRAY(BigInteger()))
    told_severity: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))


class ReceptionSpanRow(Base):
    """The rules by which a shop's conversations are looked at, from an offset on."""

    __tablename__ = "reception_spans"

    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    shop_id: Mapped[str] = mapped_column(primary_key=True)
    first_offset: Mapped[int] = mapped_column(primary_key=True)
    rules: Mapped[str]
    begun_at: Mapped[datetime] = mapped_column(server_default=func.now())
