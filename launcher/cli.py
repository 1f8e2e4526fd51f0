"""The commands of `./peakdesk`. Each is a few lines over the module that does the work."""

import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from contracts.topics import GROUPS
from launcher import (
    deadletters,
    demo,
    infrastructure,
    platform,
    player,
    report,
    seed,
    services,
    yours,
)
from launcher.deploy import deployment
from launcher.errors import LaunchError
from launcher.infrastructure import Wanted
from launcher.instance import instance, logs
from launcher.instance.folders import CHECKOUT
from launcher.instance.instance import Instance
from launcher.instance.typed import USUAL, typed
from launcher.interpreter import run_module
from launcher.kafka import groups, topics
from launcher.postgres import addresses, database
from launcher.screen import Screen
from launcher.sentences import completable, in_a_sentence

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
"""For commands that hand their arguments to another program."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="PeakDesk: customer service for online shops at peak sale.",
)

app.add_typer(deployment.app, name="deploy")

Name = Annotated[str, typer.Option("--instance", help="Which instance of this checkout.")]
Folder = Annotated[
    Path | None, typer.Option(help="Where instances are kept; default: .peakdesk in the checkout.")
]
Json = Annotated[
    bool, typer.Option("--json", help="For programs; docs/commands.md describes the shape.")
]
BasePort = Annotated[
    int | None, typer.Option(min=1024, max=65_000, help="First of the instance's 50 ports.")
]
Brokers = Annotated[
    int | None, typer.Option(min=1, max=9, help="Kafka brokers; fixed when the instance is made.")
]
Bootstrap = Annotated[
    str | None, typer.Option("--bootstrap-servers", help="Use your Kafka: host:port,...")
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(help="Use your PostgreSQL: its address, with login and database."),
]


@app.command()
def up(
    *,
    name: Name = USUAL,
    folder: Folder = None,
    base_port: BasePort = None,
    brokers: Brokers = None,
    bootstrap_servers: Bootstrap = None,
    database_url: DatabaseUrl = None,
    infrastructure_only: Annotated[
        bool, typer.Option("--infrastructure-only", help="Only Kafka and PostgreSQL.")
    ] = False,
    test_data: Annotated[
        bool, typer.Option("--test-data", help="New instance without fsync: data for tests only.")
    ] = False,
    no_keeper: Annotated[
        bool, typer.Option("--no-keeper", help="Leave what dies dead, until the next `up`.")
    ] = False,
) -> None:
    """Start Kafka, PostgreSQL and the five services, and wait until all are ready."""
    wanted = Wanted(
        name, folder, base_port, brokers, not test_data, bootstrap_servers, database_url
    )
    screen = _screen()
    known = _bring_up(wanted, screen, infrastructure_only=infrastructure_only, no_keeper=no_keeper)
    if not infrastructure_only:
        demo.show_addresses(known, screen)


def _bring_up(
    wanted: Wanted, screen: Screen, *, infrastructure_only: bool = False, no_keeper: bool = False
) -> Instance:
    """Start what does not run, and return when all of it is ready."""
    infrastructure.check(wanted, start_all=not infrastructure_only)
    place = infrastructure.folder_of(wanted)
    yours.try_out(wanted)
    with completable(place), instance.locked(place, on_wait=screen.say):
        known = infrastructure.open_instance(wanted, place, say=screen.say)
        if no_keeper:
            platform.end_keeper(known)
        begun = infrastructure.begin(known, screen)
        if not infrastructure_only:
            platform.prepare_database(known, screen)
            seed.ensure(known, screen)
        begun.complete(screen)
        if not infrastructure_only:
            platform.make_topics(known, screen)
            platform.start_services(known, screen)
        if not no_keeper:
            platform.keep(known, screen)
    return known


@app.command()
def down(*, name: Name = USUAL, folder: Folder = None) -> None:
    """Stop the services, Kafka and PostgreSQL, in that order; all data stays."""
    place = infrastructure.folder_of(Wanted(name, folder))
    known = _existing(name, place)
    # Before the lock too: it may be the keeper that holds it.
    platform.end_keeper(known)
    with instance.locked(place, on_wait=_screen().say):
        platform.down(known, _screen())


@app.command()
def status(*, name: Name = USUAL, folder: Folder = None, json: Json = False) -> None:
    """Show every process, its address and whether it is ready; exit 1 if one is not."""
    known = _existing(name, infrastructure.folder_of(Wanted(name, folder)))
    lines = platform.status(known)
    secured = database.is_secured(addresses.server(known))
    if json:
        report.as_json(report.processes(known, lines, secured=secured), _screen())
    else:
        report.show_processes(known, lines, _screen(), secured=secured)
    if not all(line.ready for line in lines):
        raise SystemExit(1)


@app.command(name="logs")
def show_logs(
    process: Annotated[str | None, typer.Argument(help="gateway, kafka-0, postgres, ...")] = None,
    *,
    name: Name = USUAL,
    folder: Folder = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is printed from now on.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, max=10_000, help="How many of each process.")
    ] = 20,
) -> None:
    """Show the last lines that processes printed."""
    known = _existing(name, infrastructure.folder_of(Wanted(name, folder)))
    screen = _screen()
    paths = logs.files(known, process)
    for path in paths:
        for line in logs.last_lines(path, lines):
            screen.say(f"{path.stem:<13} {line}", plain=True)
    if follow:
        for source, line in logs.follow(paths):
            screen.say(f"{source:<13} {line}", plain=True)


@app.command(name="topics")
def show_topics(*, name: Name = USUAL, folder: Folder = None, json: Json = False) -> None:
    """Create the topics that are missing and list all: key, partitions, who writes and reads."""
    known = _existing(name, infrastructure.folder_of(Wanted(name, folder)))
    topics.ensure(known)
    lines = topics.lines(known)
    if json:
        report.as_json(report.topics(lines), _screen())
    else:
        report.show_topics(lines, _screen())


@app.command()
def migrate(*, name: Name = USUAL, folder: Folder = None) -> None:
    """Make topics, roles and schemas, and bring each service's schema up to date."""
    place = infrastructure.folder_of(Wanted(name, folder))
    known = _existing(name, place)
    with instance.locked(place, on_wait=_screen().say):
        platform.prepare(known, _screen())


@app.command(name="seed")
def run_seed(*, name: Name = USUAL, folder: Folder = None) -> None:
    """Make the demo shop with its staff; what is there already stays."""
    place = infrastructure.folder_of(Wanted(name, folder))
    known = _existing(name, place)
    with instance.locked(place, on_wait=_screen().say):
        seed.ensure(known, _screen())
    demo.show_addresses(known, _screen())


@app.command(name="demo", context_settings=PASS_ON)
def run_demo(
    context: typer.Context,
    *,
    name: Name = USUAL,
    folder: Folder = None,
    base_port: BasePort = None,
    still: Annotated[
        bool, typer.Option("--still", help="Nobody simulated in the demo shop.")
    ] = False,
) -> None:
    """Bring everything up, with simulated people in the demo shop, and rehearse real dialogue.

    It takes the options of `rehearse`, too.
    """
    demo.check_options(context.args)
    screen, wanted = _screen(), Wanted(name, folder, base_port)
    before = platform.pids(infrastructure.folder_of(wanted))
    known = _bring_up(wanted, screen)
    with instance.locked(known.folder, on_wait=screen.say):
        (player.end if still else player.begin)(known, screen)
    if platform.pids(known.folder) == before:
        screen.say("  All of it ran already: nothing was started, nothing was changed.")
    demo.show_addresses(known, screen)
    code = demo.rehearse(known, context.args)
    screen.say("")
    demo.show_screens(known, screen)
    raise SystemExit(code)


@app.command(context_settings=PASS_ON, add_help_option=False)
def rehearse(context: typer.Context, *, name: Name = USUAL, folder: Folder = None) -> None:
    """Play dialogues against the running platform; options as in `rehearse --help`."""
    if "--help" in context.args:
        raise SystemExit(demo.explain_rehearsal(_screen()))
    known = _existing(name, infrastructure.folder_of(Wanted(name, folder)))
    platform.require_up(known)
    raise SystemExit(demo.rehearse(known, context.args))


@app.command()
def buyer(
    *,
    name: Name = USUAL,
    folder: Folder = None,
    called: Annotated[str, typer.Option("--name", help="What agents see of you.")] = "小林",
) -> None:
    """Chat with the demo shop as one of its buyers, in this terminal; Ctrl-D ends."""
    known = _existing(name, infrastructure.folder_of(Wanted(name, folder)))
    platform.require_up(known)
    raise SystemExit(demo.be_a_buyer(known, called))


@app.command()
def recompute(*, name: Name = USUAL, folder: Folder = None) -> None:
    """Fold the chat log offline and compare with the monitor's figures; the difference is 0."""
    known = _existing(name, infrastructure.folder_of(Wanted(name, folder)))
    raise SystemExit(services.run_task(known, "monitor", ["recompute"]))


@app.command()
def generation(
    *,
    name: Name = USUAL,
    folder: Folder = None,
    begin: Annotated[
        bool, typer.Option("--begin", help="Keep what is stored and begin the next generation.")
    ] = False,
) -> None:
    """Accept a chat topic that was made anew; until then its services refuse to start."""
    known = _existing(name, infrastructure.folder_of(Wanted(name, folder)))
    if not begin:
        raise LaunchError("Say so if it is meant: `./peakdesk generation --begin`.")
    codes = [
        services.run_task(known, service, ["generation", "--begin"])
        for service in services.WITH_GENERATIONS
    ]
    raise SystemExit(max(codes))


@app.command(name="deadletters")
def show_dead_letters(
    group: Annotated[str | None, typer.Argument(help="A consumer group; default: all.")] = None,
    *,
    name: Name = USUAL,
    folder: Folder = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Hand them to the group's handler once more.")
    ] = False,
    skip: Annotated[int, typer.Option(min=0, help="Leave out that many, the oldest.")] = 0,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="Show that many at most.")
    ] = deadletters.PAGE,
    json: Json = False,
) -> None:
    """Show the records that consumers set aside, and why; or replay those of one group."""
    known = _existing(name, infrastructure.folder_of(Wanted(name, folder)))
    if replay:
        if group is None:
            raise LaunchError("Name the group to replay: `./peakdesk deadletters GROUP --replay`.")
        raise SystemExit(deadletters.replay(known, group))
    found = deadletters.read(known, [group] if group else GROUPS)
    shown = deadletters.page(found, skip=skip, limit=limit)
    total = sum(map(len, found.values()))
    if json:
        report.as_json(report.dead_letters(shown, total=total), _screen())
    else:
        rest = deadletters.rest_of(found, skip=skip, limit=limit) or f"{total} dead letters"
        report.show_dead_letters(shown, rest, _screen())


@app.command(name="groups")
def show_groups(
    group: Annotated[str | None, typer.Argument(help="A consumer group; default: all.")] = None,
    *,
    name: Name = USUAL,
    folder: Folder = None,
    reset_to: Annotated[
        str | None, typer.Option(help=f"Let it go on elsewhere: {groups.PLACES}.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else it is only shown.")] = False,
    json: Json = False,
) -> None:
    """Show consumer groups: members, positions, lag; or set one elsewhere that nobody is in."""
    known = _existing(name, infrastructure.folder_of(Wanted(name, folder)))
    if reset_to is not None:
        if group is None:
            raise LaunchError("Name the group: `./peakdesk groups GROUP --reset-to ...`.")
        _reset(known, group, reset_to, yes=yes, json=json)
        return
    lines = groups.lines(known, [group] if group else GROUPS)
    if json:
        report.as_json(report.groups(lines), _screen())
    else:
        report.show_groups(lines, _screen(), whole=group is not None)


def _reset(known: Instance, group: str, to: str, *, yes: bool, json: bool) -> None:
    """Show what setting a group elsewhere changes, and do it if that is meant."""
    moves = groups.moves(known, group, to)
    if moves and yes:
        groups.carry_out(known, group, moves)
    if json:
        report.as_json(report.moves(group, moves, done=yes), _screen())
    else:
        report.show_moves(group, moves, _screen(), done=yes)
    if moves and not yes:
        raise LaunchError("Nothing was changed. Say so if it is meant: the same with `--yes`.")


@app.command()
def check() -> None:
    """Lint, format, types and layers."""
    _run_checks("check")


@app.command(context_settings=PASS_ON)
def test(context: typer.Context) -> None:
    """Run every check and every test; with arguments, only pytest with those arguments.

    `--no-browser` alone leaves out the journeys in Chromium, `--browser` plays the longer ones too.
    """
    _run_checks("test", *context.args)


def _run_checks(*words: str) -> NoReturn:
    """Become the developers' own checks, which are no part of what is installed."""
    if not (CHECKOUT / "tools" / "checks.py").is_file():
        raise LaunchError("Checks and tests belong to a checkout: clone PeakDesk, run them there.")
    argv = run_module("tools.checks", *words)
    os.execv(argv[0], argv)  # noqa: S606 - no shell, and Ctrl-C reaches the checks alone


def main() -> None:
    """Run a command; what goes wrong becomes one sentence and exit code 1."""
    with in_a_sentence():
        app(prog_name="./peakdesk")


def _screen() -> Screen:
    return Screen(Console())


def _existing(name: str, place: Path) -> Instance:
    known = instance.load(place)
    if known is None:
        up = typed("up", place)
        raise LaunchError(f"There is no instance called {name} yet: `{up}` makes it.")
    return known


if __name__ == "__main__":
    main()
