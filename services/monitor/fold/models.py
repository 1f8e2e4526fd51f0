"""Where the fold stands: partitions and the states of conversations."""

from sqlalchemy import Index, Integer, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from services.monitor.tables import Base


class PartitionRow(Base):
    """How far a partition of the chat log is folded, in log time."""

    __tablename__ = "partitions"

    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    watermark_ms: Mapped[int] = mapped_column(comment="newest log time folded")
    caught_up_ms: Mapped[int] = mapped_column(comment="last seen folded to the end")


class ConversationRow(Base):
    """A conversation's state between two batches, and what boards ask of it."""

    __tablename__ = "conversations"
    __table_args__ = (
        Index(None, "generation", "partition"),
        Index(
            "ix_conversations_live",
            "shop_id",
            postgresql_where=text("open or oldest_round_ms is not null"),
        ),
    )

    conversation_id: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(SmallInteger, comment="to which its offsets belong")
    partition: Mapped[int] = mapped_column(Integer)
    shop_id: Mapped[str]
    open: Mapped[bool]
    owner: Mapped[str | None]
    waiting_ms: Mapped[int | None] = mapped_column(comment="since when the buyer waits for a human")
    oldest_round_ms: Mapped[int | None] = mapped_column(comment="oldest open round of any reading")
    forget_ms: Mapped[int | None] = mapped_column(comment="log time after which the row may go")
    state: Mapped[bytes] = mapped_column(comment="services.monitor.rounds.Conversation")
