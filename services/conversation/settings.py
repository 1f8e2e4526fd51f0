"""The settings of the conversation service; what all services share stands in `kit.settings`."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

import profiles
from kit.settings import (
    DEVELOPMENT_PRIVATE_KEY,
    DEVELOPMENT_SECRET,
    PREFIX,
    DatabaseSettings,
    Environment,
    SettingsRefused,
)
from kit.web.passwords import LEAST_MEMORY_KIB, LEAST_ROUNDS, MEMORY_KIB, ROUNDS, Passwords


class Settings(DatabaseSettings):
    """What a conversation process is told. The numbers are starting values."""

    database_url: SecretStr = SecretStr("postgresql+asyncpg://pd_conversation@127.0.0.1/peakdesk")
    """SQLAlchemy address; the role has the rows of the schema `conversation` and nothing else."""
    token_private_key: SecretStr = DEVELOPMENT_PRIVATE_KEY
    """Signs people's tokens: base64 of a raw Ed25519 private key. Only this service has it."""
    shop_secret_key: SecretStr = DEVELOPMENT_SECRET
    """Shop secrets are derived from it, so that none is stored."""

    password_memory_kib: int = Field(default=MEMORY_KIB, ge=64)
    """What Argon2id takes of memory for a password's hash. A hash that is stored and took less than
    this, or fewer rounds, is replaced when its owner signs in."""
    password_rounds: int = Field(default=ROUNDS, ge=1)
    """How often it goes over that memory. Production refuses less than 19,456 KiB and 2 rounds;
    test data, whose passwords protect nothing, has hashes that cost no time."""

    lost_after_s: int = Field(default=30, ge=10)
    """An agent whom no gateway carried for this long is offline."""
    archive_rows: int = Field(default=500, ge=1, le=2000)
    """Rows per archive transaction at most. PostgreSQL gains nothing above 200, but a transaction
    costs this process 1.2 ms whatever its size: 500 rows took 20 us of CPU each, 200 took 29."""
    archive_wait_ms: int = Field(default=100, ge=1, le=5000)
    """How long the archive waits for a batch to fill."""
    visitors_per_minute: int = Field(default=6000, ge=1)
    """Anonymous visitors a shop may get per minute; the rest is answered 429."""
    visitors_per_address: int = Field(default=1200, ge=1)
    """The same from one address, so that one bot does not use up a shop's visitors: a fifth, for a
    mobile network shows many people under one."""
    decisions_kept_days: int = Field(default=90, ge=1, le=36_500)
    """Days that it stays whom routing chose for a conversation or a piece of work, and why."""
    pictures_kept_days: int = Field(default=365, ge=1, le=36_500)
    """Days that a picture in a chat stays; its message is shown without it from then on."""
    lexicon_folder: str = ""
    """Folder of the wording lexicon; empty takes the shipped one."""
    profiles_folder: str = ""
    """Folder of the rule profiles that a shop may choose (`*.toml`), the same as the monitor's;
    empty takes the shipped ones."""

    @model_validator(mode="after")
    def _refuse_cheap_hashes(self) -> Self:
        cheap = self.password_memory_kib < LEAST_MEMORY_KIB or self.password_rounds < LEAST_ROUNDS
        if cheap and self.environment is Environment.PRODUCTION:
            raise ValueError(
                f"production stores no password under less than {PREFIX}PASSWORD_MEMORY_KIB="
                f"{LEAST_MEMORY_KIB} and {PREFIX}PASSWORD_ROUNDS={LEAST_ROUNDS}: "
                "leave both at their defaults"
            )
        return self

    def passwords(self) -> Passwords:
        """Return what hashes and checks passwords at these costs."""
        return Passwords(memory_kib=self.password_memory_kib, rounds=self.password_rounds)

    def profile_names(self) -> frozenset[str]:
        """Read which rule profiles there are. Raises `SettingsRefused` for one that is broken."""
        try:
            return profiles.names(Path(self.profiles_folder) if self.profiles_folder else None)
        except profiles.ProfileRefused as refused:
            raise SettingsRefused(f"PEAKDESK_PROFILES_FOLDER: {refused}") from None
