"""The table of places from which staff have signed in."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.conversation.tables import Base, Key


class StaffOriginRow(Base):
    """From where a member of staff has signed in."""

    __tablename__ = "staff_origins"
    __table_args__ = (Index(None, "seen_at"),)

    staff_id: Mapped[Key] = mapped_column(ForeignKey("conversation.staff.id", ondelete="cascade"))
    origin: Mapped[Key] = mapped_column(comment="derived from staff id and address")
    seen_at: Mapped[datetime]
