"""What a newcomer sees: the demo shop's screens and logins, and a rehearsal of dialogue.

Knows the instance and the rehearsal's command line; must not know how either works.
"""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx2

from launcher import platform, player, seed, services
from launcher.instance.instance import Instance
from launcher.instance.typed import typed
from launcher.interpreter import run_module
from launcher.screen import Screen

_VARIABLE: Final = "PEAKDESK_PASSWORD"
"""Where the rehearsal reads it; not in argv, which other users of this machine can read."""

PAGE_TIMEOUT_S: Final = 2.0

_CALLED: Final = {"PEAKDESK_COMMAND": "./peakdesk rehearse"}
"""How the rehearsal is to call itself in what it says of its options."""


@dataclass(frozen=True)
class Place:
    """A screen of the demo; `login` None: anybody may look, if this release has it."""

    name: str
    path: str
    login: str | None


_SCREENS: Final = (
    Place("Desk", "/desk", "agent1@demo"),
    Place("Board", "/board", "supervisor@demo"),
    Place("Buyer's window", "/demo-shop", None),
)


def show_addresses(known: Instance, screen: Screen) -> None:
    """Print where the platform answers, what to do first, and who may log in."""
    url = services.public_url(known)
    screen.say("")
    screen.say(f"  [bold]PeakDesk is up:[/] {url}   (API: {url}/openapi.json)")
    screen.say("")
    show_screens(known, screen)
    screen.say("")
    if player.runs(known):
        screen.say("  First: sign in at the desk and choose 在线 (online): buyers come to you.")
        screen.say("  Buyers whose names end in 拟 are simulated, and so are the agents 3 to 8.")
    else:
        screen.say("  First: sign in at the desk and choose 在线 (online).")
    buyer = typed("buyer", known.folder)
    screen.say(f"  Be a buyer yourself in another terminal: {buyer}", plain=True)
    screen.say("")
    rows = [[who.role, who.login, who.password] for who in seed.logins(known)]
    screen.table(["  role", "login", "password"], [[f"  {row[0]}", *row[1:]] for row in rows])
    screen.say("")
    screen.say(f"  Play dialogue: {typed('rehearse', known.folder)}", plain=True)
    screen.say(f"  Stop, keeping all data: {typed('down', known.folder)}", plain=True)
    screen.say(f"  Data and logs: {known.folder}", plain=True)


def show_screens(known: Instance, screen: Screen) -> None:
    """Print the address of each screen, and as whom to look at it."""
    url = services.public_url(known)
    passwords = {one.login: one.password for one in seed.logins(known)}
    for place in _SCREENS:
        if place.login is None and not _answers(f"{url}{place.path}"):
            continue
        who = f"{place.login}  {passwords[place.login]}" if place.login else "no login"
        screen.say(f"  {place.name:<14} {url + place.path:<38} {who}", plain=True)


def _answers(url: str) -> bool:
    try:
        answer = httpx2.get(url, timeout=PAGE_TIMEOUT_S, trust_env=False, verify=platform.NO_TLS)
    except httpx2.HTTPError:
        return False
    return answer.status_code == httpx2.codes.OK


def check_options(arguments: Sequence[str]) -> None:
    """End with the rehearsal's words, before anything starts, if it does not know an option."""
    words = run_module("rehearsal", "--url", "http://localhost", "--check", *arguments)
    variables = os.environ | _CALLED | {_VARIABLE: "none"}
    code = subprocess.run(words, env=variables, check=False).returncode
    if code != 0:
        raise SystemExit(code)


def explain_rehearsal(screen: Screen) -> int:
    """Print the rehearsal's options, and which of them the launcher gives; needs no instance."""
    screen.say("--url, --login and --password are given: those of the instance.", plain=True)
    screen.say("--instance and --folder choose it, as for every command.", plain=True)
    words = run_module("rehearsal", "--help")
    return subprocess.run(words, env=os.environ | _CALLED, check=False).returncode


def be_a_buyer(known: Instance, name: str) -> int:
    """Chat with the demo shop in this terminal; return the exit code."""
    url = services.public_url(known)
    words = run_module("rehearsal.buyer", "--url", url, "--shop", seed.SHOP, "--name", name)
    called = {"PEAKDESK_COMMAND": "./peakdesk buyer"}
    return subprocess.run(words, env=os.environ | called, check=False).returncode


def rehearse(known: Instance, arguments: Sequence[str]) -> int:
    """Run the rehearsal against this instance, in this terminal; return its exit code."""
    administrator = seed.logins(known)[0]
    url = services.public_url(known)
    argv = run_module("rehearsal", "--url", url, "--login", administrator.login, *arguments)
    variables = os.environ | _CALLED | {_VARIABLE: administrator.password}
    return subprocess.run(argv, env=variables, check=False).returncode
