"""What the aftersales process is told from outside, beside what every service is told."""

from datetime import timedelta

from pydantic import Field, SecretStr

from kit.settings import DatabaseSettings


class Settings(DatabaseSettings):
    """Settings of aftersales. Durations are above zero: ISO 8601 (`PT48H`) or `48:00:00`."""

    database_url: SecretStr = SecretStr("postgresql+asyncpg://pd_aftersales@127.0.0.1/peakdesk")
    """SQLAlchemy address; the role has the rows of the schema `aftersales` and nothing else."""
    address_check_within: timedelta = Field(default=timedelta(minutes=30), gt=timedelta())
    """From the opening of an address check to its due time, and from one escalation to the next."""
    review_within: timedelta = Field(default=timedelta(hours=48), gt=timedelta())
    """From a refund's request to the due time of its review."""
    refund_within: timedelta = Field(default=timedelta(hours=24), gt=timedelta())
    """From an approval to the due time of the money."""
    warn_before: timedelta = Field(default=timedelta(hours=4), gt=timedelta())
    """How long before its due time a case raises `case.deadline_near`."""
    refund_limit_fen: int = Field(default=100_000, ge=0)
    """Above this amount only a supervisor may approve or pay a refund."""
