"""The tables of shops and of what they decide about waiting."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from kit import row_security
from services.conversation.tables import Base, Made


class TimingRow(Base):
    """A shop's own waits, in seconds, from a moment on; the newest row holds."""

    __tablename__ = "timings"

    shop_id: Mapped[str] = mapped_column(ForeignKey("conversation.shops.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    reopen_gap_s: Mapped[int]
    idle_close_s: Mapped[int]
    abandon_s: Mapped[int]
    silence_s: Mapped[int]
    overflow_s: Mapped[int]
    handoff_offer_s: Mapped[int | None] = mapped_column(
        server_default="25", comment="null: no buyer is offered to a colleague"
    )


class ShopRow(Base):
    """A tenant, with what it decides about wording and about its chat in other sites' pages."""

    __tablename__ = "shops"
    __table_args__ = ({"info": row_security.of("id")},)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    time_zone: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    secret_version: Mapped[int] = mapped_column(server_default=text("1"))
    policy: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    widget: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[Made]
