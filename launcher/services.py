"""The five services as data: what runs each and which variables it gets. Starts nothing."""

import base64
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from launcher.instance import ports
from launcher.instance.instance import Instance
from launcher.instance.processes import Command
from launcher.interpreter import run_module
from launcher.postgres import addresses

LOCALHOST: Final = "127.0.0.1"
DRAIN_TIMEOUT_S: Final = 25
"""A service ends within 20 s of SIGTERM; then it is killed."""

HASHES_OF_TEST_DATA: Final = {"PASSWORD_MEMORY_KIB": "64", "PASSWORD_ROUNDS": "1"}
"""Its passwords protect nothing, and at their full cost a run of the tests hashes for a minute."""

Value = Callable[[Instance], str]

NICENESS: Final = 5
"""The monitor's, on one machine: figures may be a moment late, a message may not."""


@dataclass(frozen=True)
class Service:
    """A service: its name, and the variables (without prefix) that it alone gets."""

    name: str
    own: Mapping[str, Value]

    @property
    def module(self) -> str:
        return f"services.{self.name}.app"


def key_pair(known: Instance, name: str) -> tuple[str, str]:
    """Return the Ed25519 pair called `name` as base64 of the raw keys, private first."""
    kept = known.secrets()
    if name not in kept:
        fresh = Ed25519PrivateKey.generate().private_bytes_raw()
        known.keep_secrets(kept | {name: base64.b64encode(fresh).decode()})
    private = known.secret(name)
    public = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private)).public_key()
    return private, base64.b64encode(public.public_bytes_raw()).decode()


def public_url(known: Instance, service: str = "gateway") -> str:
    """Return where a service answers REST; the gateway's is the platform's one public address."""
    return f"http://{LOCALHOST}:{known.ports.service(service)}"


def admin_url(known: Instance, service: str) -> str:
    """Return where a service answers health, metrics and internal calls."""
    return f"http://{LOCALHOST}:{known.ports.admin(service)}"


def environment(known: Instance, service: Service) -> dict[str, str]:
    """Return the whole environment of a service: exactly its settings, nothing inherited."""
    values = {
        "ENVIRONMENT": "local",
        "HOST": LOCALHOST,
        "PORT": str(known.ports.service(service.name)),
        "ADMIN_PORT": str(known.ports.admin(service.name)),
        "BOOTSTRAP_SERVERS": known.bootstrap_servers,
        "TOKEN_PUBLIC_KEY": key_pair(known, "people")[1],
        "SERVICE_PUBLIC_KEY": key_pair(known, "services")[1],
        "CURSOR_SECRET": known.secret("cursor"),
        "LOG_FORMAT": "json",
    }
    if service.name != "gateway":
        values["TRUSTED_PROXIES"] = LOCALHOST  # the gateway says which client it speaks for
    if service.name == "conversation" and not known.durable:
        values |= HASHES_OF_TEST_DATA
    if service.name == "monitor" and not known.durable:
        values["OUTGOING_STAND_INS"] = LOCALHOST  # robots of tests
    values |= {name: value(known) for name, value in service.own.items()}
    named = {f"PEAKDESK_{name}": value for name, value in values.items()}
    return {"LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", **named}


def require_ports(known: Instance, service: Service) -> None:
    """Raise LaunchError unless the ports of a service are free."""
    ports.require_free(known.ports.service(service.name), service.name)
    ports.require_free(known.ports.admin(service.name), f"{service.name}'s health check")


def command(known: Instance, service: Service) -> Command:
    """Return how a service is run."""
    return Command(
        name=service.name,
        argv=run_module(service.module),
        environment=environment(known, service),
        stop_signal=signal.SIGTERM,
        stop_timeout_s=DRAIN_TIMEOUT_S,
        niceness=NICENESS if service.name == "monitor" else 0,
    )


def run_task(known: Instance, name: str, arguments: Sequence[str]) -> int:
    """Run a one-off command of a service in this terminal, with the service's own settings."""
    service = next(service for service in SERVICES if service.name == name)
    argv = run_module(service.module, *arguments)
    return subprocess.run(argv, env=environment(known, service), check=False).returncode


WITH_GENERATIONS: Final = ("conversation", "monitor")
"""Services that keep offsets of the chat topic, and so which topic these belong to."""


def _database(service: str) -> Value:
    return lambda known: addresses.of_service(known, service)


def _public(service: str) -> Value:
    return lambda known: public_url(known, service)


def _internal(service: str) -> Value:
    return lambda known: admin_url(known, service)


def _service_key(known: Instance) -> str:
    return key_pair(known, "services")[0]


# In the order in which they stop: the gateway drains its sockets while the others still answer.
SERVICES: Final = (
    Service(
        "gateway",
        {
            "SERVICE_PRIVATE_KEY": _service_key,
            "GATEWAY_ID": lambda known: f"{known.name}-1",
            "ALLOWED_ORIGINS": public_url,
            "CONVERSATION_URL": _public("conversation"),
            "ORDERS_URL": _public("orders"),
            "AFTERSALES_URL": _public("aftersales"),
            "MONITOR_URL": _public("monitor"),
            "CONVERSATION_INTERNAL_URL": _internal("conversation"),
            "MONITOR_INTERNAL_URL": _internal("monitor"),
        },
    ),
    Service(
        "monitor",
        {
            "DATABASE_URL": _database("monitor"),
            "CHANNEL_KEY": lambda known: known.secret("channels"),
            "PUBLIC_URL": public_url,
        },
    ),
    Service("aftersales", {"DATABASE_URL": _database("aftersales")}),
    Service(
        "orders",
        {
            "DATABASE_URL": _database("orders"),
            "INTAKE_MASTER_KEY": lambda known: known.secret("intake"),
        },
    ),
    Service(
        "conversation",
        {
            "DATABASE_URL": _database("conversation"),
            "TOKEN_PRIVATE_KEY": lambda known: key_pair(known, "people")[0],
            "SHOP_SECRET_KEY": lambda known: known.secret("shops"),
        },
    ),
)
