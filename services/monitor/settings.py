"""What the monitor is told from outside. Must not know what is done with it."""

from pydantic import Field, SecretStr

from kit.settings import DatabaseSettings


class Settings(DatabaseSettings):
    """The settings of the monitor."""

    database_url: SecretStr = SecretStr("postgresql+asyncpg://pd_monitor@127.0.0.1/peakdesk")
    """SQLAlchemy address; the role owns the schema `monitor` alone."""
    profiles_folder: str = ""
    """Folder of rule profiles (`*.toml`); empty takes the shipped ones."""
    lexicon_folder: str = ""
    """Folder of the wording lexicon; empty takes the shipped one."""
    fold_rows: int = Field(default=2000, ge=1, le=20_000)
    """Records folded in one transaction at most."""
    fold_wait_ms: int = Field(default=250, ge=1, le=1000)
    """Longest time that records are gathered before they are folded: a commit writes each
    conversation once, however much was said in it meanwhile. The board is promised within 1 s."""
    board_interval_ms: int = Field(default=500, ge=100, le=10_000)
    """Least time between two boards of one shop."""
