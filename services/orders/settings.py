"""What the orders process is told from outside, beside what every service is told."""

from datetime import timedelta

from pydantic import Field, SecretStr

from kit.settings import DEVELOPMENT_SECRET, DatabaseSettings


class Settings(DatabaseSettings):
    """Settings of the orders service."""

    database_url: SecretStr = SecretStr("postgresql+asyncpg://pd_orders@127.0.0.1/peakdesk")
    """SQLAlchemy address; the role has the rows of the schema `orders` and nothing else."""
    intake_master_key: SecretStr = DEVELOPMENT_SECRET
    """Every shop's webhook secret is derived from it: a new key revokes all of them at once."""
    address_check_again_after: timedelta = Field(default=timedelta(hours=2), gt=timedelta())
    """From asking a buyer who did not answer to asking him again: above zero, as ISO 8601 (`PT2H`)
    or `2:00:00`."""
