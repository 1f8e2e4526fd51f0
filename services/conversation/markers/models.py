"""The table of read markers."""

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from kit import row_security
from services.conversation.tables import Base, Key, Small


class ReadMarkerRow(Base):
    """How far somebody has read a conversation. Two rows for each: its buyer, and who owned it."""

    __tablename__ = "read_markers"
    __table_args__ = (
        {"info": row_security.through("conversation_id", "conversation.conversations.id")},
    )

    conversation_id: Mapped[Key]
    person_id: Mapped[Key]
    generation: Mapped[Small]
    log_offset: Mapped[int] = mapped_column(BigInteger)
