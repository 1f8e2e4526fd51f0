"""The table of pictures."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.conversation.tables import Base, Id, Key, OfShop


class ImageRow(Base):
    """A picture, as it was made anew."""

    __tablename__ = "images"
    __table_args__ = (
        Index(None, "shop_id"),
        Index(None, "made_at"),
        Index("ix_images_unjudged", "made_at", postgresql_where=text("not named")),
    )

    id: Mapped[Key]
    shop_id: Mapped[OfShop]
    conversation_id: Mapped[Id]
    uploader_id: Mapped[str]
    media_type: Mapped[str]
    sha256: Mapped[bytes]
    content: Mapped[bytes]
    named: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="a message names it, so it was sent"
    )
    made_at: Mapped[datetime]
