"""The table of skill groups."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from services.conversation.tables import Base, Key, OfShop


class SkillGroupRow(Base):
    """A specialised group of a shop's agents (C1)."""

    __tablename__ = "skill_groups"
    __table_args__ = (Index(None, "shop_id", "code", unique=True),)

    id: Mapped[Key]
    shop_id: Mapped[OfShop]
    code: Mapped[str]
    name: Mapped[str]
