"""The commands of `./peakdesk`. Each is a few lines over the module that does the work."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from launcher import infrastructure, instance
from launcher.errors import LaunchError
from launcher.infrastructure import Wanted
from launcher.screen import Screen

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

InstanceName = Annotated[str, typer.Option("--instance", help="Which instance of this checkout.")]
Folder = Annotated[Path | None, typer.Option(help="Where instances are kept.")]
BasePort = Annotated[int | None, typer.Option(help="First port of the instance's block of 50.")]
Brokers = Annotated[int | None, typer.Option(min=1, max=9, help="Kafka brokers to run.")]


@app.command()
def up(
    *,
    name: InstanceName = "default",
    folder: Folder = None,
    base_port: BasePort = None,
    brokers: Brokers = None,
    infrastructure_only: Annotated[bool, typer.Option("--infrastructure-only")] = False,
) -> None:
    """Start Kafka, PostgreSQL and the five services, and wait until they are ready."""
    wanted = Wanted(name, folder, base_port, brokers, durable=not infrastructure_only)
    home = infrastructure.folder_of(wanted)
    with instance.locked(home):
        known = infrastructure.open_instance(wanted, home)
        infrastructure.start(known, Screen(Console()))


@app.command()
def down(*, name: InstanceName = "default", folder: Folder = None) -> None:
    """Stop services, Kafka and PostgreSQL, in that order; all data stays."""
    wanted = Wanted(name, folder)
    home = infrastructure.folder_of(wanted)
    with instance.locked(home):
        known = instance.load(home)
        if known is None:
            raise LaunchError(f"There is no instance called {name}: `./peakdesk up` makes one.")
        infrastructure.stop(known, Screen(Console()))


def main() -> None:
    """Run a command; a LaunchError becomes its sentence and exit code 1."""
    try:
        app()
    except LaunchError as error:
        Console(stderr=True).print(f"[red]peakdesk:[/] {error.sentence}", highlight=False)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
