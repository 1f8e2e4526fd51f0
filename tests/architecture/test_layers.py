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
        "import services.aftersales.cases.domain",
        "services.orders.planted -> services.aftersales.cases.domain",
    ),
    Plant("orders-subjects", "services/orders/helpers.py", "", "- services.orders.helpers"),
    Plant(
        "orders-subjects",
        "services/orders/trade/domain.py",
        "import services.orders.fulfil.service",
        "services.orders.trade.domain -> services.orders.fulfil.service",
    ),
    Plant(
        "orders-subjects",
        "services/orders/stock/service.py",
        "import services.orders.trade.domain",
        "services.orders.stock.service -> services.orders.trade.domain",
    ),
    Plant(
        "orders-words", "services/orders/trade/helpers.py", "", "- services.orders.trade.helpers"
    ),
    Plant(
        "orders-words", "services/orders/trade/playbook.py", "", "- services.orders.trade.playbook"
    ),
    Plant(
        "orders-words",
        "services/orders/trade/interlocks.py",
        "import services.orders.trade.repository",
        "services.orders.trade.interlocks -> services.orders.trade.repository",
    ),
    Plant(
        "orders-words",
        "services/orders/fulfil/consumers.py",
        "import services.orders.fulfil.routes",
        "services.orders.fulfil.consumers -> services.orders.fulfil.routes",
    ),
    Plant(
        "aftersales-subjects", "services/aftersales/helpers.py", "", "- services.aftersales.helpers"
    ),
    Plant(
        "aftersales-subjects",
        "services/aftersales/work/service.py",
        "import services.aftersales.cases.service",
        "services.aftersales.work.service -> services.aftersales.cases.service",
    ),
    Plant(
        "aftersales-subjects",
        "services/aftersales/evidence/service.py",
        "import services.aftersales.cases.domain",
        "services.aftersales.evidence.service -> services.aftersales.cases.domain",
    ),
    Plant(
        "aftersales-words",
        "services/aftersales/cases/helpers.py",
        "",
        "- services.aftersales.cases.helpers",
    ),
    Plant(
        "aftersales-words",
        "services/aftersales/work/domain.py",
        "import services.aftersales.work.models",
        "services.aftersales.work.domain -> services.aftersales.work.models",
    ),
    Plant(
        "conversation-subjects",
        "services/conversation/reception/service.py",
        "import services.conversation.presence.service",
        "services.conversation.reception.service -> services.conversation.presence.service",
    ),
    Plant(
        "conversation-subjects",
        "services/conversation/staff/domain.py",
        "import services.conversation.routing.domain",
        "services.conversation.staff.domain -> services.conversation.routing.domain",
    ),
    Plant(
        "conversation-subjects",
        "services/conversation/planted.py",
        "",
        "- services.conversation.planted",
    ),
    Plant(
        "conversation-words",
        "services/conversation/routing/helpers.py",
        "",
        "- services.conversation.routing.helpers",
    ),
    Plant(
        "conversation-words",
        "services/conversation/routing/repository.py",
        "import services.conversation.routing.service",
        "services.conversation.routing.repository -> services.conversation.routing.service",
    ),
    Plant("monitor-rooms", "services/monitor/planted.py", "", "- services.monitor.planted"),
    Plant(
        "monitor-rooms",
        "services/monitor/boards/service.py",
        "import services.monitor.evidence.service",
        "services.monitor.boards.service -> services.monitor.evidence.service",
    ),
    Plant(
        "monitor-rooms",
        "services/monitor/fold/engine.py",
        "import services.monitor.response.domain",
        "services.monitor.fold.engine -> services.monitor.response.domain",
    ),
    Plant(
        "monitor-words",
        "services/monitor/waiting/helpers.py",
        "",
        "- services.monitor.waiting.helpers",
    ),
    Plant(
        "monitor-words",
        "services/monitor/response/domain.py",
        "import services.monitor.response.repository",
        "services.monitor.response.domain -> services.monitor.response.repository",
    ),
    Plant("kafka-client", "kit/planted.py", "import aiokafka", "kit.planted -> aiokafka"),
    Plant(
        "bus-choice",
        "services/monitor/fold/consumers.py",
        "import kit.bus.kafka",
        "services.monitor.fold.consumers -> kit.bus.kafka",
    ),
    Plant(
        "memory-bus",
        "services/monitor/fold/consumers.py",
        "import kit.bus.memory",
        "services.monitor.fold.consumers -> kit.bus.memory",
    ),
    Plant("gateway-plan", "services/gateway/planted.py", "", "- services.gateway.planted"),
    Plant(
        "gateway-plan",
        "services/gateway/inbound/sends.py",
        "import services.gateway.streams",
        "services.gateway.inbound.sends -> services.gateway.streams",
    ),
    Plant(
        "gateway-plan",
        "services/gateway/frames/names.py",
        "import services.gateway.hub",
        "services.gateway.frames.names -> services.gateway.hub",
    ),
    Plant(
        "gateway-words",
        "services/gateway/streams/helpers.py",
        "",
        "- services.gateway.streams.helpers",
    ),
    Plant(
        "gateway-kinds",
        "services/gateway/streams/kinds/board.py",
        "import services.gateway.streams.kinds.inbox",
        "services.gateway.streams.kinds.board -> services.gateway.streams.kinds.inbox",
    ),
    Plant(
        "gateway-circles",
        "services/gateway/history/ring.py",
        "import services.gateway.history.gap",
        "No cycles are allowed in services.gateway.history.",
    ),
    Plant(
        "gateway-circles",
        "services/gateway/limits.py",
        "if TYPE_CHECKING:\n    import services.gateway.app",
        "No cycles are allowed in services.gateway.",
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
        "services/aftersales/cases/domain.py",
        "import sqlalchemy",
        "services.aftersales.cases.domain -> sqlalchemy",
    ),
    Plant("pure-rules", "wording/planted.py", "import socket", "wording.planted -> socket"),
    Plant(
        "entries",
        "services/orders/trade/routes.py",
        "import services.orders.trade.repository",
        "services.orders.trade.routes -> services.orders.trade.repository",
    ),
    Plant(
        "entries",
        "services/aftersales/cases/deadlines.py",
        "import services.aftersales.cases.models",
        "services.aftersales.cases.deadlines -> services.aftersales.cases.models",
    ),
    Plant(
        "entries",
        "services/conversation/routing/registration.py",
        "import services.conversation.routing.repository",
        "services.conversation.routing.registration -> services.conversation.routing.repository",
    ),
    Plant(
        "entries",
        "services/monitor/recount/commands.py",
        "import services.monitor.recount.repository",
        "services.monitor.recount.commands -> services.monitor.recount.repository",
    ),
    Plant(
        "entries",
        "services/aftersales/work/consumers.py",
        "from sqlalchemy import select",
        "services.aftersales.work.consumers -> sqlalchemy",
    ),
    Plant(
        "use-cases",
        "services/orders/fulfil/service.py",
        "from starlette.responses import Response",
        "services.orders.fulfil.service -> starlette",
    ),
    Plant(
        "use-cases",
        "services/aftersales/work/service.py",
        "import fastapi",
        "services.aftersales.work.service -> fastapi",
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
