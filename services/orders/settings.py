"""What the orders process is told from outside, beside what every service is told."""

from typing import Annotated

from pydantic import SecretStr

from kit.settings import DEVELOPMENT_SECRET, MustBeSet, ServiceSettings


class Settings(ServiceSettings):
    """Settings of the orders service."""

    database_url: Annotated[str, MustBeSet()] = "postgresql+asyncpg://pd_orders@127.0.0.1/peakdesk"
    """Reaches the schema `orders` as its owner."""
    intake_master_key: SecretStr = DEVELOPMENT_SECRET
    """Every shop's webhook secret is derived from it: a new key revokes all of them at once."""
