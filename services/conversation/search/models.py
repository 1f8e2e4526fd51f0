"""The tables of words in chats."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from kit import row_security
from services.conversation.tables import Base, Id, Key, Small, SmallKey


class WordsRow(Base):
    """What of a message is looked up, under terms of its shop alone."""

    __tablename__ = "words"
    __table_args__ = (
        Index(None, "shop_id", "at", "message_id"),
        Index("ix_words_terms", "terms", postgresql_using="gin"),
    )

    message_id: Mapped[Key]
    shop_id: Mapped[str]
    conversation_id: Mapped[Id]
    sender_id: Mapped[str] = mapped_column(comment="who said it")
    at: Mapped[datetime]
    terms: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class WordsReachRow(Base):
    """Up to where a partition of the archived log is indexed."""

    __tablename__ = "words_reach"
    __table_args__ = (
        {"info": row_security.exempt("offsets of the log, which holds what all shops say")},
    )

    partition: Mapped[SmallKey]
    generation: Mapped[Small]
    next_offset: Mapped[int] = mapped_column(BigInteger)
    reached_at: Mapped[datetime | None] = mapped_column(comment="when the last of it was said")
