"""What a deployment needs before its services start, on servers that run already.

Writes the secret files; makes roles, schemas and topics with them. Starts no process, and imports
nothing of the `local` extra, which the image does not have.
"""

import base64
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote, unquote, urlsplit

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kit.settings import KafkaSettings, SettingsRefused, load
from launcher.errors import LaunchError
from launcher.kafka import topics
from launcher.postgres import database, roles
from launcher.postgres.addresses import DATABASE, Server
from launcher.postgres.roles import ADMIN, DATABASE_SERVICES, role_of

SECRETS: Final = Path("deploy/secrets")
MOUNTED: Final = Path("/run/secrets")
"""Where Docker and our Kubernetes files mount secrets."""
FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o444
"""Containers run as other users than the folder's owner, and see single files through a mount; on
the host the closed folder keeps everybody else out."""
SEEDED: Final = ("platform", "admin", "supervisor", "agent")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Secrets, schemas and topics for a deployment.",
)


@dataclass(frozen=True)
class Vault:
    """A folder of secrets, one file each; a file that is there is never written again."""

    folder: Path
    made: list[str] = field(default_factory=list)

    def ensure(self, name: str, make: Callable[[], str]) -> str:
        """Return the secret of that name, made now if its file is absent."""
        path = self.folder / name
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(make() + "\n")
            path.chmod(FILE_MODE)
            self.made.append(name)
        return self.read(name)

    def read(self, name: str) -> str:
        """Return a secret that must be there. Raises LaunchError."""
        path = self.folder / name
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise LaunchError(
                f"The secret {path} cannot be read ({error.strerror}): "
                "write the missing ones with `./peakdesk deploy secrets`."
            ) from error


def write_secrets(folder: Path, *, host: str, name: str = DATABASE) -> list[str]:
    """Write every secret that is missing; return their names.

    `host` is host:port of PostgreSQL as the services see it, `name` its database.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(FOLDER_MODE)
    vault = Vault(folder)
    for pair in ("token", "service"):
        private = vault.ensure(f"{pair}_private_key", _private_key)
        vault.ensure(f"{pair}_public_key", partial(_public_key, private))
    for key in ("cursor_secret", "intake_master_key", "shop_secret_key", "channel_key"):
        vault.ensure(key, _password)
    for person in SEEDED:
        vault.ensure(f"seed_{person}_password", _password)
    owner = vault.ensure("postgres_password", _password)
    place = f"{host}/{name}"
    vault.ensure("database_admin_url", lambda: f"postgresql://{_login(ADMIN, owner)}@{place}")
    for service in DATABASE_SERVICES:
        login = _login(role_of(service), _password())
        address = f"postgresql+asyncpg://{login}@{place}"
        vault.ensure(f"database_url_{service}", partial(str, address))
    return vault.made


def server_of(folder: Path) -> Server:
    """Return the database that the secrets in `folder` name. Raises LaunchError."""
    vault = Vault(folder)
    return Server(
        vault.read("database_admin_url"),
        {service: vault.read(f"database_url_{service}") for service in DATABASE_SERVICES},
    )


def role_script(server: Server) -> Iterator[str]:
    """Yield the SQL that gives each service its role and schema in that database, line by line."""
    parts = urlsplit(server.administrator)
    administrator = unquote(parts.username or ADMIN)
    yield from roles.role_statements(server.passwords())
    yield from roles.owner_statements()
    yield from roles.schema_statements(parts.path.strip("/"), administrator=administrator)


Folder = Annotated[Path, typer.Option(help="The folder of the secret files.")]


@app.command(name="secrets")
def make_secrets(
    *,
    folder: Folder = SECRETS,
    database_host: Annotated[
        str, typer.Option(help="host:port of PostgreSQL, as the services see it.")
    ] = "postgres:5432",
    database_name: Annotated[str, typer.Option(help="Its database.")] = DATABASE,
) -> None:
    """Write the secret files that are missing; those that are there stay as they are."""
    made = write_secrets(folder, host=database_host, name=database_name)
    typer.echo(f"{folder}: {len(made)} secrets made: {', '.join(made)}" if made else "all there")


@app.command()
def setup(
    *,
    bootstrap_servers: Annotated[str, typer.Option(help="Kafka: host:port,...")],
    folder: Folder = MOUNTED,
    topic_prefix: Annotated[
        str, typer.Option(help="Precedes every topic: the services' PEAKDESK_KAFKA_TOPIC_PREFIX.")
    ] = "",
) -> None:
    """Make topics, roles and schemas, and bring every schema up to date; repeat as you like.

    Brokers that want TLS or a password are spoken to as the services' PEAKDESK_KAFKA_* say.
    """
    server = server_of(folder)
    made = topics.ensure_told(_kafka(bootstrap_servers, topic_prefix))
    typer.echo(f"topics: {len(made)} made" if made else "topics: all there")
    typer.echo(f"database: {database.prepare(server)}")
    database.migrate(server)
    typer.echo("migrations: every schema is up to date")


@app.command()
def sql(*, folder: Folder = SECRETS) -> None:
    """Print the SQL of roles and schemas, passwords included, for an administrator to run."""
    for statement in role_script(server_of(folder)):
        typer.echo(f"{statement};")


def main() -> None:
    """Run a command; a LaunchError becomes its sentence and exit code 1."""
    try:
        app()
    except LaunchError as error:
        typer.echo(f"peakdesk: {error.sentence}", err=True)
        sys.exit(1)


def _kafka(bootstrap_servers: str, topic_prefix: str) -> KafkaSettings:
    try:
        return load(
            KafkaSettings, bootstrap_servers=bootstrap_servers, kafka_topic_prefix=topic_prefix
        )
    except SettingsRefused as refused:
        raise LaunchError(f"{refused}.") from None


def _login(user: str, password: str) -> str:
    return f"{user}:{quote(password, safe='')}"


def _password() -> str:
    return secrets.token_urlsafe(32)


def _private_key() -> str:
    return base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()


def _public_key(private: str) -> str:
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private))
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()
