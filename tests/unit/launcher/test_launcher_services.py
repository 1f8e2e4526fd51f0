"""Every service gets exactly the variables that its settings know, and no default secret."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from kit.settings import ServiceSettings, known_variables, must_be_set, variable
from launcher import services
from launcher.errors import LaunchError
from launcher.instance import instance
from launcher.instance.instance import Instance
from launcher.instance.ports import Ports
from launcher.postgres import addresses, roles
from launcher.services import SERVICES, Service

pytestmark = pytest.mark.unit


@pytest.fixture
def known(tmp_path: Path) -> Instance:
    """A new instance that nothing was started for."""
    made = Instance(tmp_path, "default", Ports(7300), brokers=1, durable=True)
    instance.save(made)
    return made


def settings_of(service: Service) -> type[ServiceSettings]:
    """Return the settings class of a service."""
    module = import_module(f"services.{service.name}.settings")
    found: type[ServiceSettings] = module.Settings
    return found


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_service_gets_only_variables_that_it_knows(known: Instance, service: Service) -> None:
    given = {name for name in services.environment(known, service) if name.startswith("PEAKDESK_")}

    assert given <= known_variables(settings_of(service))


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_service_gets_every_secret_of_its_settings(known: Instance, service: Service) -> None:
    given = services.environment(known, service)

    fields = settings_of(service).model_fields.items()
    assert {variable(name) for name, field in fields if must_be_set(field)} <= given.keys()


def test_only_test_data_has_passwords_whose_hashes_cost_nothing(known: Instance) -> None:
    test_data = replace(known, durable=False)
    conversation = next(service for service in SERVICES if service.name == "conversation")
    kept, thrown_away = (services.environment(one, conversation) for one in (known, test_data))

    assert not [name for name in kept if name.startswith("PEAKDESK_PASSWORD_")]
    assert thrown_away["PEAKDESK_PASSWORD_MEMORY_KIB"] == "64"
    assert thrown_away["PEAKDESK_PASSWORD_ROUNDS"] == "1"
    assert thrown_away.keys() <= known_variables(settings_of(conversation)) | {
        "LANG",
        "PYTHONUNBUFFERED",
    }


def test_keys_are_made_once_and_come_in_pairs(known: Instance) -> None:
    first = services.key_pair(known, "people")

    assert services.key_pair(known, "people") == first
    assert services.key_pair(known, "services") != first


def test_services_log_in_with_a_role_of_their_own(known: Instance) -> None:
    urls = [addresses.of_service(known, service) for service in roles.DATABASE_SERVICES]

    assert len(set(urls)) == len(urls)
    assert urls[0].startswith("postgresql+asyncpg://pd_conversation:")
    assert urls[0].endswith("@127.0.0.1:7340/peakdesk")


def test_your_server_keeps_its_host_database_and_options(known: Instance) -> None:
    known.keep_secrets({addresses.YOURS: addresses.checked("postgres://me:pw@db:6543/shop?ssl=on")})
    theirs = Instance(known.folder, "default", known.ports, 1, durable=True, own_database=False)

    url = addresses.of_service(theirs, "orders")

    assert url.startswith("postgresql+asyncpg://pd_orders:")
    assert url.endswith("@db:6543/shop?ssl=on")


@pytest.mark.parametrize("url", ["mysql://h/d", "postgresql://host", "host:5432/db", ""])
def test_an_address_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(LaunchError, match="--database-url needs the form"):
        addresses.checked(url)


def test_ports_of_one_instance_never_collide() -> None:
    numbers = Ports(7300).all(brokers=9)

    assert len(set(numbers)) == len(numbers)
    assert max(numbers) < 7350
