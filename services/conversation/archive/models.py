"""The tables of archived records."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from kit import row_security
from services.conversation.tables import Base, Id, Key, Made, Small, SmallKey


class MessageRow(Base):
    """A record of the chat log, each message id once (H1)."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_history", "conversation_id", "generation", "log_offset"),
        Index("ix_messages_log", "generation", "partition", "log_offset"),
        Index(
            "ix_messages_answers",
            "conversation_id",
            "generation",
            "log_offset",
            postgresql_where=text("sender_kind is distinct from 'buyer'"),
        ),
        {"info": row_security.through("conversation_id", "conversation.conversations.id")},
    )

    message_id: Mapped[Key]
    conversation_id: Mapped[Id]
    generation: Mapped[Small]
    partition: Mapped[Small]
    log_offset: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str]
    time: Mapped[datetime] = mapped_column(comment="receive time at the gateway")
    sender_kind: Mapped[str | None] = mapped_column(comment="null: a lifecycle event or a note")
    body_hash: Mapped[str | None]
    body: Mapped[str] = mapped_column(comment="the record's JSON, as it stood in the log")
    late: Mapped[bool] = mapped_column(server_default=text("false"))
    archived_at: Mapped[Made]


class ContactRow(Base):
    """A stored message whose arrival may change a conversation, until it is acted on (H30)."""

    __tablename__ = "contacts"
    __table_args__ = (Index(None, "shop_id"), Index(None, "conversation_id"))

    message_id: Mapped[Key]
    conversation_id: Mapped[Id]
    shop_id: Mapped[str]
    generation: Mapped[Small]
    log_offset: Mapped[int] = mapped_column(BigInteger)
    tried_at: Mapped[datetime | None] = mapped_column(comment="when acting on it failed")


class IdConflictRow(Base):
    """A record whose message id was taken by another body (H3)."""

    __tablename__ = "id_conflicts"
    __table_args__ = (
        Index(None, "message_id"),
        {"info": row_security.through("message_id", "conversation.messages.message_id")},
    )

    generation: Mapped[SmallKey]
    partition: Mapped[SmallKey]
    log_offset: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    message_id: Mapped[Id]
    body_hash: Mapped[str]
    first_hash: Mapped[str]
    seen_at: Mapped[Made]
