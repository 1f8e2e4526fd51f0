"""The demo shop: one shop with a supervisor and agents, made through the public REST alone.

Knows the API as any client does; must not know a service's tables.
"""

from dataclasses import dataclass
from typing import Final

from launcher.instance import Instance
from launcher.screen import Screen

ADMINISTRATOR: Final = "admin"
REQUEST_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True)
class Login:
    """A person of the demo who can log in."""

    role: str
    login: str
    password: str


def logins(known: Instance) -> list[Login]:
    """Return the demo's people, the platform's administrator first."""
    names = [("admin", ADMINISTRATOR), ("supervisor", "lin"), ("agent", "chen"), ("agent", "wang")]
    return [Login(role, login, known.secret(f"login_{login}")) for role, login in names]


def ensure(known: Instance, screen: Screen) -> None:
    """Make the shop and those of its people who are missing."""
    with screen.step("Demo shop") as step:
        step.outcome = "later"
