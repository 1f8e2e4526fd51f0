"""What people made of what was held or flagged, and which alerts somebody took care of."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from services.monitor.tables import Base


class JudgementRow(Base):
    """Somebody's verdict on something held or flagged; his latest stands."""

    __tablename__ = "judgements"
    __table_args__ = (Index(None, "shop_id", "judged_ms"),)

    subject_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    name: Mapped[str]
    verdict: Mapped[str]
    note: Mapped[str]
    judged_ms: Mapped[int]


class AlertStateRow(Base):
    """Somebody took care of an alert; the first one stands."""

    __tablename__ = "alert_states"
    __table_args__ = (Index(None, "shop_id", "acknowledged_ms"),)

    alert_id: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    person_id: Mapped[str]
    name: Mapped[str]
    verdict: Mapped[str]
    note: Mapped[str]
    acknowledged_ms: Mapped[int]
