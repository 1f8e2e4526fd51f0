"""The names of the dialect, read from the sources of every service that speaks it.

Each rule must catch what is planted here, and leave alone what is written as it should be.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

import pytest

pytestmark = pytest.mark.unit

CHECKOUT = Path(__file__).resolve().parents[2]

SERVICES: Final = ("orders", "aftersales", "gateway", "conversation", "monitor")
"""The services that are held to it."""

OTHER_DIALECTS: Final = {"who", "caller", "wish", "asked"}
"""The caller is `principal`; what a caller sends is named by what it is."""

KEYS: Final = {"IdempotencyKey", "VersionedKey"}

Rule: TypeAlias = Callable[[ast.Module], Iterator[tuple[ast.AST, str]]]


def own_words(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """No argument has a name of one of the old dialects."""
    for argument in arguments(tree):
        if argument.arg.strip("_") in OTHER_DIALECTS:
            yield argument, f"an argument is named {argument.arg}"


def loggers(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """The logger of a module is `log`."""
    for target, value, _ in bindings(tree.body):
        if comes_from(value, "get_logger") and last_name(target) != "log":
            yield target, f"a logger is named {ast.unparse(target)}"


def routers(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """An APIRouter is `router`, where it is made and where it is handed on."""
    for target, value, annotation in bindings(ast.walk(tree)):
        made = isinstance(value, ast.Call) and last_name(value.func) == "APIRouter"
        told = annotation is not None and last_name(annotation) == "APIRouter"
        if (made or told) and last_name(target) != "router":
            yield target, f"a router is named {ast.unparse(target)}"
    for argument in arguments(tree):
        told = argument.annotation is not None and last_name(argument.annotation) == "APIRouter"
        if told and argument.arg != "router":
            yield argument, f"a router is handed on as {argument.arg}"


def settings(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """The settings of a service are `Settings`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef) or node.name == "Settings":
            continue
        if "ServiceSettings" in map(last_name, node.bases):
            yield node, f"settings are named {node.name}"


def keys(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """The key of a command is `key`."""
    for argument in arguments(tree):
        if argument.annotation is None or argument.arg == "key":
            continue
        if not KEYS.isdisjoint(map(last_name, ast.walk(argument.annotation))):
            yield argument, f"a key is named {argument.arg}"


def transactions(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """A transaction says whose rows it is about."""
    databases = {"db", "database", *known_databases(tree)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        opened = node.func.attr in {"read", "write"} and plain(node.func.value) in databases
        if opened and not (node.args or node.keywords):
            yield node, f"{ast.unparse(node)} does not say whose rows"


EVERYWHERE: Final[tuple[Rule, ...]] = (own_words, loggers, routers, keys, transactions)
RULES: Final[tuple[Rule, ...]] = (*EVERYWHERE, settings)

PLANTED: Final[tuple[tuple[Rule, str], ...]] = (
    (own_words, "def page(who: Principal) -> None: ..."),
    (own_words, "class A:\n    async def page(self, *, caller: Principal) -> None: ..."),
    (own_words, "def open(wish: NewConversation, /) -> None: ..."),
    (own_words, "def show(*asked: str) -> None: ..."),
    (own_words, "later = lambda _who: None"),
    (loggers, "_log: Final = structlog.get_logger('gateway')"),
    (loggers, "logger = structlog.get_logger()"),
    (loggers, "logger = get_logger().bind(part='hub')"),
    (routers, "routes = APIRouter()"),
    (routers, "def routes() -> APIRouter:\n    api: APIRouter = fastapi.APIRouter()\n"),
    (routers, "def routes() -> APIRouter:\n    api: APIRouter = made('orders')\n"),
    (routers, "class A:\n    def __init__(self) -> None:\n        self.routes = APIRouter()\n"),
    (routers, "def listing(api: APIRouter) -> None: ..."),
    (settings, "class GatewaySettings(ServiceSettings): ..."),
    (settings, "class OrdersSettings(kit.settings.ServiceSettings): ..."),
    (keys, "async def close(slot: IdempotencyKey) -> None: ..."),
    (keys, "async def close(*, command: Annotated[VersionedKey, Depends(x)]) -> None: ..."),
    (transactions, "async def a():\n    async with self._db.read() as session: ...\n"),
    (transactions, "async def a():\n    async with database.write() as session: ...\n"),
    (transactions, "def a(store: Database):\n    return store.write()\n"),
    (
        transactions,
        """class A:
    def __init__(self, store: Database):
        self._rows = store
    def a(self):
        return self._rows.read()""",
    ),
    (transactions, "def a():\n    store = Database('url', schema='orders')\n    store.read()\n"),
)

SPOKEN: Final = """
log: Final = structlog.get_logger("orders")

class Settings(ServiceSettings): ...

def listing(router: APIRouter) -> list[APIRouter]: ...

def commands(orders: Commands) -> APIRouter:
    router = APIRouter(prefix="/v1/orders")

    @router.post("/{order_id}/close")
    async def close(*, principal: Chatting, why: Reason, key: VersionedKey) -> OrderView:
        async with self._db.write(principal.shop_id) as session, file.read(), db.read(shop="s"):
            return await orders.close(principal, why.reason, key=key)

    return router
"""


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_speaks_the_dialect(service: str) -> None:
    folder = CHECKOUT / "services" / service
    found = [
        f"{path.relative_to(CHECKOUT)}:{complaint}"
        for path in sorted(folder.rglob("*.py"))
        for rule in (RULES if path == folder / "settings.py" else EVERYWHERE)
        for complaint in complaints(rule, path.read_text(encoding="utf-8"))
    ]

    assert not found, "\n".join(found)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_settings(service: str) -> None:
    source = (CHECKOUT / "services" / service / "settings.py").read_text(encoding="utf-8")

    names = {node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    assert "Settings" in names


@pytest.mark.parametrize(
    ("rule", "source"), PLANTED, ids=[f"{rule.__name__}: {source}" for rule, source in PLANTED]
)
def test_what_is_planted_is_caught_once_and_by_its_rule_alone(rule: Rule, source: str) -> None:
    caught = {one.__name__: complaints(one, source) for one in RULES}

    assert {name: len(found) for name, found in caught.items() if found} == {rule.__name__: 1}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_what_is_said_as_it_should_be_is_left_alone(rule: Rule) -> None:
    assert complaints(rule, SPOKEN) == []


def test_every_rule_has_a_plant() -> None:
    assert {rule for rule, _ in PLANTED} == set(RULES)


def complaints(rule: Rule, source: str) -> list[str]:
    """Return what a rule says of a source, each with its line."""
    return [f"{getattr(node, 'lineno', 0)}: {words}" for node, words in rule(ast.parse(source))]


def arguments(tree: ast.Module) -> Iterator[ast.arg]:
    """Yield every argument of every function."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.arg))


def bindings(
    nodes: Iterator[ast.AST] | list[ast.stmt],
) -> Iterator[tuple[ast.expr, ast.expr | None, ast.expr | None]]:
    """Yield what is bound, to which value, and by which annotation."""
    for node in nodes:
        if isinstance(node, ast.Assign):
            yield from ((target, node.value, None) for target in node.targets)
        elif isinstance(node, ast.AnnAssign):
            yield node.target, node.value, node.annotation
        elif isinstance(node, ast.NamedExpr):
            yield node.target, node.value, None


def comes_from(value: ast.AST | None, name: str) -> bool:
    """Tell whether a value is what a function answers, or what a method of that answers."""
    while isinstance(value, ast.Call):
        if last_name(value.func) == name:
            return True
        value = value.func.value if isinstance(value.func, ast.Attribute) else None
    return False


def known_databases(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a file gives to a Database, without underscores."""
    found = {
        argument.arg.strip("_")
        for argument in arguments(tree)
        if argument.annotation is not None and last_name(argument.annotation) == "Database"
    }
    for target, value, annotation in bindings(ast.walk(tree)):
        made = isinstance(value, ast.Call) and last_name(value.func) == "Database"
        told = annotation is not None and last_name(annotation) == "Database"
        if made or told or (value is not None and plain(value) in found):
            found.add(plain(target))
    yield from found


def plain(node: ast.AST) -> str:
    """Return the last name of an expression without underscores."""
    return last_name(node).strip("_")


def last_name(node: ast.AST) -> str:
    """Return the name of a name or an attribute, empty for everything else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
