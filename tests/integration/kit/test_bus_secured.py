"""Brokers that want TLS and a password: a real one with both, spoken to as settings say."""

import asyncio
import ipaddress
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from typing_extensions import override

from contracts.topics import TOPICS
from kit.bus.kafka import KafkaBus
from kit.bus.ports import BusAway, Message
from kit.settings import KafkaSecurity, KafkaSettings
from launcher import infrastructure
from launcher.infrastructure import Wanted
from launcher.instance import folders, ports
from launcher.instance.instance import Instance
from launcher.instance.processes import Processes
from launcher.kafka import jars, java, topics
from launcher.kafka.broker import Kafka
from tests.infrastructure import NAME, Infrastructure
from tests.suites.reading import read

pytestmark = pytest.mark.integration

USER, PASSWORD = "peakdesk", "a-password-of-the-test"
CONFIGURED_WITHIN_S = 120


class Secured(Kafka):
    """A broker with a second listener: TLS, and SCRAM over it."""

    certificate: Path

    @override
    def _properties(self, broker: int) -> str:
        plain, secured = self._instance.ports.kafka(broker), _secured_port(self._instance)
        changed = {
            "listeners": (
                f"PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{secured},"
                f"CONTROLLER://127.0.0.1:{self._instance.ports.controller(broker)}"
            ),
            "advertised.listeners": (
                f"PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{secured}"
            ),
            "listener.security.protocol.map": (
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL"
            ),
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self.certificate,
        }
        # Of a key that stands there twice, Java takes the last.
        return super()._properties(broker) + "".join(f"{k}={v}\n" for k, v in changed.items())

    def admit(self, user: str, password: str) -> None:
        """Give somebody a password."""
        argv = [
            *self._java(0, java.find()),
            "kafka.admin.ConfigCommand",
            *("--bootstrap-server", self._instance.bootstrap_servers, "--alter"),
            *("--add-config", f"SCRAM-SHA-512=[password={password}]"),
            *("--entity-type", "users", "--entity-name", user),
        ]
        subprocess.run(argv, check=True, capture_output=True, timeout=CONFIGURED_WITHIN_S)


@dataclass(frozen=True)
class Broker:
    """Where the secured broker listens, and who vouches for it."""

    address: str
    certificate: Path

    def settings(self, password: str = PASSWORD) -> KafkaSettings:
        """Return what a service and the setup job are told."""
        return KafkaSettings(
            bootstrap_servers=self.address,
            kafka_security=KafkaSecurity.SASL_SSL,
            kafka_ca_file=str(self.certificate),
            kafka_user=USER,
            kafka_password=SecretStr(password),
        )


@pytest.fixture(scope="module")
def broker(infra: Infrastructure, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of this module alone; `infra` has fetched the jars."""
    assert infra.bootstrap_servers
    folder = tmp_path_factory.mktemp("secured")
    known = Instance(folder, "secured", ports.choose(1), brokers=1, durable=False)
    for made in (known.kafka_folder, known.logs, known.processes):
        made.mkdir(parents=True)
    certificate = folder / "broker.pem"
    certificate.write_text(_certificate(), encoding="utf-8")
    home = infrastructure.folder_of(Wanted(NAME)).parent
    jar_folder = folders.jar_cache(home, jars.read_lock().version)
    kafka = Secured(known, Processes(known), jars=jar_folder)
    kafka.certificate = certificate
    kafka.begin()
    kafka.wait()
    try:
        kafka.admit(USER, PASSWORD)
        yield Broker(f"127.0.0.1:{_secured_port(known)}", certificate)
    finally:
        Processes(known).stop("kafka-0")


async def test_a_service_speaks_tls_and_shows_its_password(broker: Broker) -> None:
    made = await asyncio.to_thread(topics.ensure_told, broker.settings())
    bus = KafkaBus.from_settings(broker.settings(), client_id="kit-tests")
    producer = bus.producer()
    await producer.start()

    place = await producer.send(Message("chat", b"k", b"v"))
    (record,) = await read(bus, "chat", 1)
    await producer.stop()
    await bus.close()

    assert {topic.name for topic in TOPICS} <= set(made)
    assert (record.partition, record.offset, record.value) == (*place, b"v")


async def test_a_wrong_password_and_an_unknown_authority_reach_no_broker(broker: Broker) -> None:
    for told in (
        broker.settings("another-password"),
        broker.settings().model_copy(update={"kafka_ca_file": ""}),
    ):
        bus = KafkaBus.from_settings(told, client_id="kit-tests")
        with pytest.raises(BusAway):
            await bus.ping()
        await bus.close()


def _secured_port(known: Instance) -> int:
    return known.ports.kafka(1)


def _certificate() -> str:
    """Return a key and a certificate for 127.0.0.1 that vouches for itself, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return (private + certificate.public_bytes(serialization.Encoding.PEM)).decode()
