"""What the monitor is told from outside. Must not know what is done with it."""

from datetime import timedelta
from pathlib import Path
from typing import Final, Self

from pydantic import Field, SecretStr, model_validator

from contracts.topics import CHAT
from kit.settings import DEVELOPMENT_SECRET, DatabaseSettings, SettingsRefused, variable
from wording import LexiconError, LiveEngine

LOG_DAYS: Final = max(CHAT.retention or (timedelta(),)).days
"""Days that the chat log is kept at most."""

_DAYS_LIMIT: Final = 36_500


class Settings(DatabaseSettings):
    """The settings of the monitor."""

    database_url: SecretStr = SecretStr("postgresql+asyncpg://pd_monitor@127.0.0.1/peakdesk")
    """SQLAlchemy address; the role has the rows of the schema `monitor` and nothing else."""
    channel_key: SecretStr = DEVELOPMENT_SECRET
    """Seals the addresses and secrets of alert channels; with another key they must be given
    again."""
    outgoing_stand_ins: str = ""
    """Hosts, `host` or `host:port` separated by commas, that alerts may also be sent to though they
    are private or spoken to in the clear: for a robot of this installation's own, or a test."""
    public_url: str = Field(default="", pattern=r"^(https?://.+)?$")
    """Where people open the console; alerts outside it link there, or nowhere while it is empty."""
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
    figures_kept_days: int = Field(default=90, ge=1, le=_DAYS_LIMIT)
    """Days before today that rounds, sessions, their totals and the counts of messages stay."""
    evidence_kept_days: int = Field(default=90, ge=1, le=_DAYS_LIMIT)
    """Days that flagged and held messages stay, and by which wording rules they were judged."""
    alerts_kept_days: int = Field(default=90, ge=1, le=_DAYS_LIMIT)
    """Days that it stays which waiting thresholds were told, and of alerts what went to whom."""

    @model_validator(mode="after")
    def _check_kept(self) -> Self:
        """Refuse to forget what the log still tells: `recompute` would find it missing."""
        for name in ("figures_kept_days", "evidence_kept_days", "alerts_kept_days"):
            kept = getattr(self, name)
            if kept < LOG_DAYS:
                raise ValueError(
                    f"{variable(name)}={kept} is less than the {LOG_DAYS} days that the chat log "
                    "is kept, and what it tells must stay comparable: give as many, or more"
                )
        return self

    def open_lexicon(self) -> LiveEngine:
        """Read the wording lexicon. Raises `SettingsRefused` if it cannot be read."""
        try:
            return LiveEngine(Path(self.lexicon_folder) if self.lexicon_folder else None)
        except LexiconError as error:
            raise SettingsRefused(f"PEAKDESK_LEXICON_FOLDER: {error}") from None
