"""The tables of refresh tokens, and of sessions that were ended."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from kit import row_security
from services.conversation.tables import Base, Id, Key


class RefreshTokenRow(Base):
    """A refresh token, by its hash. Tokens of one login form a family."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        CheckConstraint("kind in ('staff', 'buyer')", name="kind"),
        Index(None, "family"),
        Index(None, "subject"),
        Index(None, "parent"),
        Index(None, "expires_at"),
        {"info": row_security.exempt("a token is found by its hash, before its shop is known")},
    )

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    family: Mapped[Id]
    subject: Mapped[Id]
    kind: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime | None]
    parent: Mapped[bytes | None] = mapped_column(comment="the token that was spent for this one")
    dropped_at: Mapped[datetime | None] = mapped_column(comment="another was used in its place")
    opened_at: Mapped[datetime | None] = mapped_column(comment="when its family began")
    client: Mapped[str | None] = mapped_column(comment="as it called itself, cut")


class EndedSessionRow(Base):
    """A session that was ended while its tokens were good, until none of them is."""

    __tablename__ = "ended_sessions"
    __table_args__ = (Index(None, "ended_at"),)

    sid: Mapped[Key]
    subject: Mapped[Id]
    shop_id: Mapped[str]
    ended_at: Mapped[datetime]
