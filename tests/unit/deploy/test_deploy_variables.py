"""Every variable, secret, command and port that a deployment names is one that the code knows."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from kit.settings import ServiceSettings, is_secret, known_variables, load, must_be_set, variable
from launcher.deploy import deployment
from launcher.errors import LaunchError
from tests import deployed
from tests.deployed import Part

pytestmark = pytest.mark.unit

EVERY = [*deployed.composed(), *deployed.pods()]
"""Each process of ours in each kind of deployment."""
CONFIGURED = [part for part in EVERY if deployed.settings_of(part) is not None]


def label(part: Part) -> str:
    return part.name


def known(part: Part) -> type[ServiceSettings]:
    settings = deployed.settings_of(part)
    assert settings is not None
    return settings


@pytest.mark.parametrize("part", CONFIGURED, ids=label)
def test_every_variable_is_a_setting_of_its_process(part: Part) -> None:
    given = {name for name in part.variables if name.startswith("PEAKDESK_")}

    assert given - known_variables(known(part)) == set()


@pytest.mark.parametrize("part", CONFIGURED, ids=label)
def test_every_secret_of_production_comes_from_a_file_that_is_mounted(part: Part) -> None:
    fields = known(part).model_fields.items()
    wanted = {variable(name) + "_FILE" for name, field in fields if must_be_set(field)}

    mounted = part.mounted()

    assert mounted.keys() == wanted
    assert set(mounted.values()) == part.secrets


@pytest.mark.parametrize("part", EVERY, ids=label)
def test_no_secret_stands_in_a_file_of_ours(part: Part) -> None:
    settings = deployed.settings_of(part) or ServiceSettings
    secrets = {variable(name) for name, field in settings.model_fields.items() if is_secret(field)}

    assert secrets & part.variables.keys() == set()


@pytest.mark.parametrize("part", CONFIGURED, ids=label)
def test_production_accepts_what_the_deployment_gives(
    part: Part, vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in part.variables.items():
        monkeypatch.setenv(name, value.replace(str(deployment.MOUNTED), str(vault)))

    settings = load(known(part))

    assert settings.environment == "production"


@pytest.mark.parametrize("part", EVERY, ids=label)
def test_every_command_is_one_of_the_project(part: Part) -> None:
    if part.command[:2] == ("python", "-m"):
        import_module(part.command[2])
        return
    module, _, function = deployed.scripts()[part.command[0]].partition(":")

    assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize("parts", [deployed.composed, deployed.pods])
def test_all_five_services_run(parts: Callable[[], list[Part]]) -> None:
    assert {part.service for part in parts()} - {None} == set(deployed.NAMES)


@pytest.mark.parametrize("part", [p for p in EVERY if p.service == "gateway"], ids=label)
def test_the_gateway_finds_every_service_at_its_own_port(part: Part) -> None:
    public, admin = (deployed.image_variables()[f"PEAKDESK_{name}PORT"] for name in ("", "ADMIN_"))
    found = {name: url for name, url in part.variables.items() if name.endswith("_URL")}

    assert found == {
        variable(name): f"http://{name.partition('_')[0]}:{admin if 'internal' in name else public}"
        for name in known(part).model_fields
        if name.endswith("_url")
    }


def test_setup_reads_only_secrets_that_it_is_given(vault: Path) -> None:
    for part in (part for part in EVERY if part.command[0] == "peakdesk-deploy"):
        for absent in {path.name for path in vault.iterdir()} - part.secrets:
            (vault / absent).unlink()

        assert deployment.server_of(vault).passwords().keys() == {
            f"pd_{name}" for name in deployed.NAMES if name != "gateway"
        }


def test_setup_is_told_of_kafka_by_the_variables_of_the_services(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEAKDESK_KAFKA_SECURITY", "SASL_SSL")

    with pytest.raises(LaunchError, match="PEAKDESK_KAFKA_USER"):
        deployment.setup(bootstrap_servers="127.0.0.1:1", folder=vault)


SETUPS = [part for part in EVERY if part.command[:2] == ("peakdesk-deploy", "setup")]


@pytest.mark.parametrize("part", SETUPS, ids=label)
def test_setup_refuses_an_open_broker_of_production_unless_its_deployment_means_it(
    part: Part, vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in part.variables.items():
        monkeypatch.setenv(name, value)
    assert deployment._kafka("kafka:9092", "cell7.").kafka_topic_prefix == "cell7."

    monkeypatch.delenv("PEAKDESK_ALLOW_PLAINTEXT_BROKER")
    with pytest.raises(LaunchError, match="kafka:9092 in the clear"):
        deployment.setup(bootstrap_servers="kafka:9092", folder=vault)


def test_compose_names_exactly_the_secrets_that_are_made(vault: Path) -> None:
    named = deployed.compose()["secrets"]

    assert named.keys() == {path.name for path in vault.iterdir()}
    assert {name: entry["file"] for name, entry in named.items()} == {
        name: f"{deployment.SECRETS}/{name}" for name in named
    }
