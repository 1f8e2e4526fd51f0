"""Every command of a runbook exists, with its options; every page leads somewhere."""

import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from kit.settings import known_variables
from launcher import cli
from launcher.deploy import deployment
from launcher.postgres.roles import ADMIN
from tests import deployed

pytestmark = pytest.mark.unit

RUNBOOKS = deployed.CHECKOUT / "docs/runbooks"
PAGES = sorted(RUNBOOKS.glob("*.md"))
REHEARSAL = {"--rate", "--seconds"}
"""Options that `rehearse` hands on."""
FOREIGN = {"kafka-consumer-groups.sh", "pg_dump", "pg_restore"}
SERVICES = ("gateway", "conversation", "orders", "aftersales", "monitor")


def commands() -> list[list[str]]:
    """Return the words of every command line in the pages' shell blocks."""
    blocks = (re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL) for page in PAGES)
    lines = {line for found in blocks for block in found for line in block.splitlines() if line}
    return [shlex.split(line) for line in sorted(lines)]


def starting_with(*words: str) -> list[list[str]]:
    return [line for line in commands() if line[: len(words)] == list(words)]


def accepts(command: Any, words: list[str]) -> None:
    """Fail unless `words` are options, arguments and subcommands of a click `command`."""
    if hasattr(command, "commands"):
        assert words[0] in command.commands, f"{command.name} has no command {words[0]}"
        accepts(command.commands[words[0]], words[1:])
        return
    known = {option for param in command.params for option in param.opts} | {"--help"}
    if command.name == "rehearse":
        known |= REHEARSAL
    assert {word for word in words if word.startswith("-")} <= known


def test_every_line_is_of_a_program_that_is_checked_here() -> None:
    programs = {line[0] for line in commands()}

    assert programs == {"./peakdesk", "docker", "kubectl"} | FOREIGN


@pytest.mark.parametrize("words", starting_with("./peakdesk"), ids=" ".join)
def test_the_launcher_knows_the_command(words: list[str]) -> None:
    accepts(typer.main.get_command(cli.app), words[1:])


def test_what_is_printed_for_an_administrator_is_a_command_too() -> None:
    accepts(typer.main.get_command(deployment.app), ["sql"])


@pytest.mark.parametrize("words", starting_with("docker"), ids=" ".join)
def test_compose_knows_the_service(words: list[str]) -> None:
    assert words[:2] == ["docker", "compose"]
    services = deployed.compose()["services"]
    rest = words[2:]
    if rest[0] == "--profile":
        profiles = {profile for one in services.values() for profile in one.get("profiles", ())}
        assert rest[1] in profiles
        rest = rest[2:]

    assert rest[0] in {"up", "run", "stop", "start", "ps", "logs", "exec"}
    named = [place for place, word in enumerate(rest) if word in services]
    for word in rest[1 : named[0] if named else None]:
        assert word.startswith("-") or word.isdigit(), f"no service is called {word}"
    if rest[0] == "exec":
        assert named, "exec needs a service"
    elif rest[0] == "stop":
        assert [word for word in rest[1:] if word not in services] == []
    elif named and (command := rest[named[0] + 1 :]):
        the_service_knows(rest[named[0]], command)


@pytest.mark.parametrize("words", starting_with("kubectl"), ids=" ".join)
def test_kubernetes_knows_the_object(words: list[str]) -> None:
    names = {
        f"{doc['kind'].lower()}/{doc['metadata']['name']}"
        for doc in deployed.documents(deployed.BASE)
    }
    for word in words:
        if re.fullmatch(r"(deployment|job)/\w+", word):
            assert word in names
        if word.startswith("deploy/"):
            assert (deployed.CHECKOUT / word).is_dir()
    if "--" in words:
        place = next(word for word in words if word.startswith("deployment/"))
        the_service_knows(place.partition("/")[2], words[words.index("--") + 1 :])


def the_service_knows(service: str, command: list[str]) -> None:
    assert command[0] == f"peakdesk-{service}"
    app = importlib.import_module(f"services.{service}.app")
    match command[1:]:
        case ["replay", group]:
            assert app.build(app.Settings()).groups[group].replay is not None
        case other:
            assert " ".join(other) in app.COMMANDS


@pytest.mark.parametrize(
    "page", [*PAGES, deployed.CHECKOUT / "docs/capacity.md"], ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = (RUNBOOKS / "README.md").read_text(encoding="utf-8")

    assert [page.name for page in PAGES if f"({page.name})" not in contents] == ["README.md"]


def test_alerts_that_a_page_names_exist() -> None:
    rules = (deployed.CHECKOUT / "deploy/prometheus/rules.yml").read_text(encoding="utf-8")
    alerts = set(re.findall(r"- alert: (\w+)", rules))
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)

    named = set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", text))
    assert named == alerts


def test_metrics_and_settings_that_a_page_names_exist() -> None:
    metrics = (deployed.CHECKOUT / "kit/metrics.py").read_text(encoding="utf-8")
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)

    series = set(re.findall(r"`(peakdesk_\w+)`", text)) - {ADMIN}
    assert [name for name in series if name not in metrics] == []
    named = set(re.findall(r"`(PEAKDESK_\w+)`", text))
    settings = [importlib.import_module(f"services.{service}.settings") for service in SERVICES]
    known = frozenset().union(*(known_variables(one.Settings) for one in settings))
    assert named - known == set()
