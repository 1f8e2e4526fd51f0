"""The secrets of a deployment: made once, kept, fitting one another; and the SQL of its roles."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from kit.clock import SystemClock
from kit.web.auth import ServiceTokens, TokenVerifier
from kit.web.tokens import SERVICES
from launcher.deploy import deployment
from launcher.errors import LaunchError
from launcher.postgres import roles
from launcher.postgres.addresses import Server
from tests import deployed

pytestmark = pytest.mark.unit


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_secrets_are_made_once(vault: Path) -> None:
    before = contents(vault)
    (vault / "cursor_secret").unlink()

    assert deployment.write_secrets(vault, host="postgres:5432") == ["cursor_secret"]

    after = contents(vault)
    assert after.pop("cursor_secret") != before.pop("cursor_secret")
    assert after == before


def test_the_folder_is_closed_and_its_files_are_open_to_containers(vault: Path) -> None:
    assert vault.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in vault.iterdir()} == {0o444}


def test_a_public_key_fits_its_private_key(vault: Path) -> None:
    from pydantic import SecretStr  # noqa: PLC0415 - only this test signs

    secrets = deployment.Vault(vault)
    clock = SystemClock()
    tokens = ServiceTokens(SecretStr(secrets.read("service_private_key")), "gateway", clock)

    verifier = TokenVerifier(secrets.read("service_public_key"), clock, audience=SERVICES)

    assert verifier.verify(tokens.current()).subject == "gateway"


def test_the_administrators_address_holds_the_servers_password(vault: Path) -> None:
    secrets = deployment.Vault(vault)

    address = urlsplit(secrets.read("database_admin_url"))

    assert address.password == secrets.read("postgres_password")
    postgres = deployed.compose()["services"]["postgres"]["environment"]
    assert address.username == postgres["POSTGRES_USER"]
    assert address.path == f"/{postgres['POSTGRES_DB']}"


def test_an_absent_secret_is_named_with_its_cure(vault: Path) -> None:
    (vault / "database_url_orders").unlink()

    with pytest.raises(LaunchError, match=r"database_url_orders cannot be read .*deploy secrets"):
        deployment.server_of(vault)


def test_the_command_says_what_it_made(tmp_path: Path) -> None:
    runner = CliRunner()

    first = runner.invoke(deployment.app, ["secrets", "--folder", str(tmp_path)])
    second = runner.invoke(deployment.app, ["secrets", "--folder", str(tmp_path)])

    assert "18 secrets made" in first.output
    assert second.output == "all there\n"


def test_the_sql_file_holds_the_launchers_statements() -> None:
    text = (deployed.CHECKOUT / "deploy/postgres/roles.sql").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("--")]
    asked = {roles.role_of(name): roles.role_of(name) for name in roles.DATABASE_SERVICES}
    ours = [
        *roles.role_statements(asked),
        *roles.owner_statements(),
        *roles.schema_statements("database", administrator="administrator"),
    ]

    assert [line.rstrip(";").replace(":'", "'").replace(':"', '"') for line in lines] == ours


def test_sql_is_printed_with_the_passwords_of_the_secrets(vault: Path) -> None:
    server: Server = deployment.server_of(vault)

    printed = CliRunner().invoke(deployment.app, ["sql", "--folder", str(vault)]).output

    for role, password in server.passwords().items():
        assert f"CREATE ROLE {role} LOGIN NOINHERIT PASSWORD '{password}';" in printed
        assert f"CREATE ROLE {role}_owner NOLOGIN;" in printed
        assert f'GRANT {role}_owner TO "{roles.ADMIN}";' in printed, "whoever runs it"
