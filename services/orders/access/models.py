"""Who holds which work on an order. Knows no rule."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from services.orders.tables import Base


class WorkRow(Base):
    """Who holds which work on an order: the conversation service's word, newest version wins.

    A senior may hold it beside the agent (B42).
    """

    __tablename__ = "work"
    __table_args__ = (Index(None, "order_id"),)

    work_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str]
    shop_id: Mapped[str]
    agent_id: Mapped[str | None]
    senior_id: Mapped[str | None]
    version: Mapped[int]
    settled: Mapped[bool] = mapped_column(server_default="false")
