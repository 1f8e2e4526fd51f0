"""The demo shop and the passwords of its people, made by the conversation service's own command.

Knows that command's variables and answer; must not know tables.
"""

import json
import subprocess
from dataclasses import dataclass
from typing import Final

from kit.ids import derived_id
from launcher import services
from launcher.errors import LaunchError
from launcher.instance.instance import Instance
from launcher.instance.typed import typed
from launcher.interpreter import run_module
from launcher.screen import Screen

MODULE: Final = "services.conversation.seed"
TIMEOUT_S: Final = 60
ADMINISTRATOR: Final = "admin"
"""The platform's administrator, who may make shops; a rehearsal signs in as him."""
SHOWN_AGENTS: Final = 2
SHOP: Final = derived_id("shop", "demo")
"""The demo shop's id, the same wherever it is made."""


@dataclass(frozen=True)
class Login:
    """A person of the demo who can log in."""

    role: str
    login: str
    password: str


def ensure(known: Instance, screen: Screen) -> None:
    """Make the shop and those of its people who are missing. Raises LaunchError."""
    with screen.step("Demo shop") as step:
        done = subprocess.run(
            run_module(MODULE),
            env=_environment(known),
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
        if done.returncode != 0:
            words = " ".join(done.stderr.strip().splitlines()[-1:])
            raise LaunchError(
                f"The demo shop could not be made ({words}): bring schemas up to date with "
                f"`{typed('migrate', known.folder)}`, then run the command again."
            )
        made = json.loads(done.stdout.splitlines()[-1])["created"]
        step.outcome = f"{made} things made" if made else "is there"


def logins(known: Instance) -> list[Login]:
    """Return who may log in, the platform's administrator first; agents share a password."""
    agents = (f"agent{number}@demo" for number in range(1, SHOWN_AGENTS + 1))
    password = {name: password_of(known, name) for name in _PEOPLE}
    return [
        Login("platform admin", ADMINISTRATOR, password["platform"]),
        Login("shop admin", "admin@demo", password["admin"]),
        Login("supervisor", "supervisor@demo", password["supervisor"]),
        *(Login("agent", agent, password["agent"]) for agent in agents),
    ]


def password_of(known: Instance, people: str) -> str:
    """Return the password of `platform`, `admin`, `supervisor`, or `agent` for all agents."""
    return known.secret(f"seed_{people}")


_PEOPLE: Final = ("platform", "admin", "supervisor", "agent")


def _environment(known: Instance) -> dict[str, str]:
    conversation = next(one for one in services.SERVICES if one.name == "conversation")
    passwords = {
        f"PEAKDESK_SEED_{name.upper()}_PASSWORD": password_of(known, name) for name in _PEOPLE
    }
    return services.environment(known, conversation) | passwords
