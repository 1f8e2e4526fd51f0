"""Each import rule of the house is broken on purpose, in a copy of the tree, and must be caught."""

import tomllib

import pytest

from tests.architecture.planting import CHECKOUT, Plant, Verdict, copy_tree, lint, plant

pytestmark = pytest.mark.unit

PLANTS = (
    Plant("parts", "kit/clock.py", "import contracts", "kit.clock -> contracts"),
    Plant(
        "parts",
        "rehearsal/planted.py",
        "import launcher.errors",
        "rehearsal.planted -> launcher.errors",
    ),
    Plant(
        "parts",
        "launcher/planted.py",
        "import tools.duplicates",
        "launcher.planted -> tools.duplicates",
    ),
    Plant(
        "launcher",
        "launcher/kafka/planted.py",
        "import launcher.postgres.roles",
        "launcher.kafka.planted -> launcher.postgres.roles",
    ),
    Plant(
        "services",
        "services/orders/planted.py",
        "import services.aftersales.domain",
        "services.orders.planted -> services.aftersales.domain",
    ),
    Plant("vocabulary", "services/orders/planted.py", "", "- services.orders.planted"),
    Plant(
        "vocabulary",
        "services/orders/domain.py",
        "import services.orders.models",
        "services.orders.domain -> services.orders.models",
    ),
    Plant(
        "vocabulary",
        "services/orders/routes.py",
        "import services.orders.consumers",
        "services.orders.routes -> services.orders.consumers",
    ),
    Plant("kafka-client", "kit/planted.py", "import aiokafka", "kit.planted -> aiokafka"),
    Plant(
        "bus-choice",
        "services/monitor/consumers.py",
        "import kit.bus.kafka",
        "services.monitor.consumers -> kit.bus.kafka",
    ),
    Plant(
        "memory-bus",
        "services/monitor/consumers.py",
        "import kit.bus.memory",
        "services.monitor.consumers -> kit.bus.memory",
    ),
    Plant(
        "gateway-database",
        "services/gateway/limits.py",
        "import kit.postgres",
        "services.gateway.limits -> kit.postgres",
    ),
    Plant(
        "gateway-database",
        "services/gateway/limits.py",
        "import asyncpg",
        "services.gateway.limits -> asyncpg",
    ),
    Plant(
        "pure-rules",
        "services/aftersales/domain.py",
        "import sqlalchemy",
        "services.aftersales.domain -> sqlalchemy",
    ),
    Plant("pure-rules", "wording/planted.py", "import socket", "wording.planted -> socket"),
    Plant(
        "entries",
        "services/orders/routes.py",
        "import services.orders.repository",
        "services.orders.routes -> services.orders.repository",
    ),
    Plant(
        "entries",
        "services/orders/deadlines.py",
        "import services.orders.models",
        "services.orders.deadlines -> services.orders.models",
    ),
    Plant(
        "entries",
        "services/aftersales/consumers.py",
        "from sqlalchemy import select",
        "services.aftersales.consumers -> sqlalchemy",
    ),
    Plant(
        "use-cases",
        "services/orders/service/commands.py",
        "from starlette.responses import Response",
        "services.orders.service.commands -> starlette",
    ),
    Plant(
        "use-cases",
        "services/aftersales/service/planted.py",
        "import fastapi",
        "services.aftersales.service.planted -> fastapi",
    ),
    Plant(
        "outside-client",
        "rehearsal/planted.py",
        "import services.gateway",
        "rehearsal.planted -> services.gateway",
    ),
    Plant(
        "outside-client",
        "rehearsal/planted.py",
        "import kit.bus.ports",
        "rehearsal.planted -> kit.bus.ports",
    ),
)

CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))[
        "tool"
    ]["importlinter"]["contracts"]
}


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    """What import-linter says of a copy that holds every plant."""
    tree = tmp_path_factory.mktemp("tree")
    copy_tree(tree)
    plant(tree, PLANTS)
    return lint(tree)


@pytest.mark.parametrize("one", PLANTS, ids=lambda one: f"{one.contract}: {one.complaint}")
def test_a_planted_violation_is_caught(verdict: Verdict, one: Plant) -> None:
    assert one.complaint in verdict.broken.get(CONTRACTS[one.contract], verdict.output)
    assert CONTRACTS[one.contract] in verdict.broken


def test_every_contract_has_a_plant() -> None:
    assert {one.contract for one in PLANTS} == set(CONTRACTS)


def test_the_tree_itself_keeps_every_contract() -> None:
    verdict = lint(CHECKOUT)
    assert not verdict.broken, verdict.output
    assert "0 broken" in verdict.output, verdict.output
