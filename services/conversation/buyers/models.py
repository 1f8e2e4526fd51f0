"""The table of buyers."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.conversation.tables import Base, Key, Made, OfShop, Small


class BuyerRow(Base):
    """A buyer of one shop, or a visitor, who has no external id."""

    __tablename__ = "buyers"
    __table_args__ = (
        CheckConstraint("tier between 0 and 9", name="tier"),
        Index(None, "shop_id", "external_id", unique=True),
        # As bytes, so that a prefix is a range of it whatever the database's language.
        Index(
            "ix_buyers_name", "shop_id", "name", "id", postgresql_ops={"name": "text_pattern_ops"}
        ),
        Index("ix_buyers_phone", "shop_id", "phone", postgresql_where=text("phone <> ''")),
    )

    id: Mapped[Key]
    shop_id: Mapped[OfShop]
    external_id: Mapped[str | None]
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(server_default=text("''"))
    address: Mapped[str] = mapped_column(server_default=text("''"))
    tier: Mapped[Small] = mapped_column(server_default=text("0"))
    not_before: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[Made]
