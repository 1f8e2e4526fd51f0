"""The tables of quick replies."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from services.conversation.tables import Base, Key, OfShop, Small


class PhraseListRow(Base):
    """Which version a list of quick replies has: the shop's, or a person's own."""

    __tablename__ = "phrase_lists"

    shop_id: Mapped[OfShop] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True, comment="`shop`, or a person's id")
    version: Mapped[int]
    changed_at: Mapped[datetime]


class PhraseRow(Base):
    """A quick reply of a list, at its place in it."""

    __tablename__ = "phrases"
    __table_args__ = (Index(None, "shop_id", "owner", "place"),)

    id: Mapped[Key]
    shop_id: Mapped[OfShop]
    owner: Mapped[str]
    place: Mapped[Small]
    title: Mapped[str]
    words: Mapped[str]
    uses: Mapped[int] = mapped_column(server_default="0", comment="how often it was taken")
