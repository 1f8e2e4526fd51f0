"""The tables of staff and of the skill groups they belong to."""

from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.people import AgentState, Role
from services.conversation.tables import Base, Id, Key, Made, OfShop, Small, one_of

FORM: Final = 2
"""Of a member's entry in the directory: it tells capacity and groups."""

LISTED_BEFORE: Final = f"listed_form < {FORM}"
"""The index is meant, so it stands in statements as it stands here."""


class StaffRow(Base):
    """A member of staff, and whether he is at his desk."""

    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint(one_of("role", Role), name="role"),
        CheckConstraint(one_of("state", AgentState), name="state"),
        CheckConstraint("capacity between 0 and 200", name="capacity"),
        Index(None, "shop_id", "id"),
        Index(
            "ix_staff_to_watch",
            "id",
            postgresql_where=text("active and (state <> 'offline' or resume_state is not null)"),
        ),
        Index("ix_staff_listed_before", "id", postgresql_where=text(LISTED_BEFORE)),
    )

    id: Mapped[Key]
    shop_id: Mapped[OfShop]
    login: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    capacity: Mapped[Small]
    not_before: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    listed_form: Mapped[Small] = mapped_column(
        server_default=text("1"),
        comment="of the entry in the directory: 2 tells capacity and groups",
    )
    state: Mapped[str] = mapped_column(server_default=text("'offline'"))
    state_since: Mapped[datetime | None]
    state_version: Mapped[int] = mapped_column(server_default=text("0"))
    resume_state: Mapped[str | None]
    suspended_by: Mapped[Id | None] = mapped_column(comment="the leader whose suspension stands")
    last_assigned_at: Mapped[datetime | None]
    created_at: Mapped[Made]


class StaffSkillRow(Base):
    """That a member of staff belongs to a skill group."""

    __tablename__ = "staff_skills"

    staff_id: Mapped[Key] = mapped_column(ForeignKey("conversation.staff.id", ondelete="cascade"))
    skill_group_id: Mapped[Key] = mapped_column(
        ForeignKey("conversation.skill_groups.id", ondelete="cascade")
    )
