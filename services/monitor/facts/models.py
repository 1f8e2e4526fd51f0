"""Agents, as the topic `staff` told of them, and each change of their states."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from services.monitor.tables import Base


class AgentRow(Base):
    """An agent as the topic `staff` told of him last."""

    __tablename__ = "agents"
    __table_args__ = (Index(None, "shop_id"),)

    agent_id: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    state: Mapped[str]
    since: Mapped[datetime]
    version: Mapped[int]


class AgentStateRow(Base):
    """One change of an agent's state; never changed.

    `previous` is null where only the state is known, not what it followed.
    """

    __tablename__ = "agent_states"
    __table_args__ = (Index(None, "shop_id", "since_ms"),)

    agent_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    state: Mapped[str]
    previous: Mapped[str | None]
    since_ms: Mapped[int]
