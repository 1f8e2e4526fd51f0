"""How the simulated people of the demo shop are run: beside the platform, by `demo` alone.

Must not know what they play.
"""

import signal
from typing import Final

from launcher import seed, services
from launcher.instance.instance import Instance
from launcher.instance.processes import Command, Processes
from launcher.interpreter import run_module
from launcher.screen import Screen

NAME: Final = "player"

STOP_TIMEOUT_S: Final = 10
"""It closes what it has open within 5 s."""

NICENESS: Final = 10
"""On one machine whoever is real comes first, a rehearsal too."""


def command(known: Instance) -> Command:
    """Return how an instance's player is run."""
    variables = {
        "ENVIRONMENT": "local",
        "URL": services.public_url(known),
        "ADMIN_PASSWORD": seed.password_of(known, "admin"),
        "AGENT_PASSWORD": seed.password_of(known, "agent"),
    }
    named = {f"PEAKDESK_{name}": value for name, value in variables.items()}
    return Command(
        name=NAME,
        argv=run_module("player"),
        environment={"LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", **named},
        stop_signal=signal.SIGTERM,
        stop_timeout_s=STOP_TIMEOUT_S,
        niceness=NICENESS,
    )


def runs(known: Instance) -> bool:
    """Whether the player of this instance runs."""
    return Processes(known).find(NAME) is not None


def begin(known: Instance, screen: Screen) -> None:
    """See to it that the player runs; it waits for what it needs by itself."""
    processes = Processes(known)
    with screen.step(NAME) as step:
        if processes.find(NAME) is None:
            processes.start(command(known))
            step.outcome = "plays simulated buyers and colleagues"
        else:
            step.outcome = "simulated buyers and colleagues, runs already"


def end(known: Instance, screen: Screen) -> None:
    """End the player, if one was begun: nobody simulated stays on a desk."""
    processes = Processes(known)
    if processes.is_noted(NAME):
        with screen.step(NAME) as step:
            step.outcome = "stopped" if processes.stop(NAME) else "was not running"
