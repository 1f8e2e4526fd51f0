"""Messages and flags by day, and the turns in which they were said."""

from datetime import date

from sqlalchemy import ARRAY, BigInteger, Index, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from kit import row_security
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


class TurnRow(Base):
    """What a buyer and one member of staff said to one another, as if nobody wrote any more."""

    __tablename__ = "turns"
    __table_args__ = (Index(None, "shop_id", "from_ms"),)

    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    first_offset: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    conversation_id: Mapped[str]
    buyer_id: Mapped[str]
    agent_id: Mapped[str | None] = mapped_column(comment="null: nobody had the buyer")
    owned: Mapped[bool] = mapped_column(comment="false: staff without the seat")
    day: Mapped[date] = mapped_column(comment="local day on which it began, and ended")
    from_ms: Mapped[int]
    last_ms: Mapped[int] = mapped_column(comment="its last word")
    until_ms: Mapped[int]
    buyer_words: Mapped[int] = mapped_column(Integer)
    agent_words: Mapped[int] = mapped_column(Integer)
    agent_ms: Mapped[list[int]] = mapped_column(ARRAY(BigInteger()))
    agent_offsets: Mapped[list[int]] = mapped_column(ARRAY(BigInteger()))
    born_offset: Mapped[int]


class TurnSpanRow(Base):
    """A part of the log of which turns are told without a gap."""

    __tablename__ = "turn_spans"
    __table_args__ = (
        {"info": row_security.exempt("how far turns are told of the log of all shops")},
    )

    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    first_offset: Mapped[int] = mapped_column(primary_key=True)
    since_ms: Mapped[int] = mapped_column(comment="the time of its first record")
    told_to: Mapped[int] = mapped_column(
        comment="another one than the fold's: who tells no turns folded meanwhile"
    )
