"""What the player is told from outside, and where it refuses to play."""

from ipaddress import ip_address
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kit.settings import PREFIX, Environment

_LOCAL_NAME: Final = "localhost"


class Settings(BaseSettings):
    """Each field is read from `PEAKDESK_<NAME>`. Which shop is played in, nobody can set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )

    environment: Environment = Environment.LOCAL
    """The player refuses `production`."""
    url: str = "http://127.0.0.1:7300"
    """The gateway of this machine: `http://127.0.0.1:PORT`."""
    admin_password: SecretStr = Field(default=SecretStr(""), min_length=8)
    """Of the demo shop's administrator."""
    agent_password: SecretStr = Field(default=SecretStr(""), min_length=8)
    """Of the demo shop's agents."""

    @model_validator(mode="after")
    def _refuse_what_is_no_demo(self) -> Self:
        if self.environment is Environment.PRODUCTION:
            raise ValueError("simulated people have no place in production: start no player there")
        if not _is_this_machine(urlsplit(self.url).hostname or ""):
            raise ValueError(f"{PREFIX}URL must be an address of this machine, as a demo's is")
        return self


def _is_this_machine(host: str) -> bool:
    try:
        return host == _LOCAL_NAME or ip_address(host).is_loopback
    except ValueError:
        return False
