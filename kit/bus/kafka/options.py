"""Every option given to aiokafka, said aloud: its defaults lose messages (acks=1, auto-commit).

Knows no topic and no group.
"""

import ssl
from dataclasses import dataclass, field
from typing import Any, Final, Self

from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from kit.settings import KafkaSettings, SettingsRefused

BATCH_BYTES: Final = 256 * 1024
"""Records of one partition that wait for a request. The cost is per request, so let it be large."""

REQUEST_BYTES: Final = 1024 * 1024
"""One message at most, as brokers are set by default; `MESSAGE_BYTES` stays below."""

FETCH_BYTES: Final = 16 * 1024 * 1024
PARTITION_FETCH_BYTES: Final = 1024 * 1024
"""Undecoded records that one fetch may bring: the bound of a consumer's memory."""

REQUEST_TIMEOUT_MS: Final = 10_000
"""A broker that accepts and never answers (a frozen one) is given up after this time."""

FETCH_WAIT_MS: Final = 500
"""An idle fetch returns after this time. Data ends the wait at once, so it costs no latency; what
else is asked on the connection waits behind it, and so do partitions that come or are resumed."""

READER_WAIT_MS: Final = 1000
"""The same for who reads all partitions for ever: none comes, and hardly ever one is resumed."""

FETCHER_LOOK_MS: Final = 5_000
"""aiokafka looks so often for something to fetch that no event told it of. There is none: answers,
seeks, resumed partitions and new assignments all wake it."""

GATHER_BYTES: Final = 512 * 1024
"""So much ends a gathering fetch before its time: a consumer that is behind never waits."""


AT_ONCE: Final = (1, FETCH_WAIT_MS)
"""Bytes that end a fetch, and its longest wait, where nothing is gathered."""


@dataclass(frozen=True)
class Security:
    """How to speak to the brokers; the default is for a listener on the loopback interface."""

    protocol: str = "PLAINTEXT"
    ssl_context: ssl.SSLContext | None = None
    mechanism: str = "PLAIN"
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def from_settings(cls, settings: KafkaSettings) -> Self:
        """Return what the settings say. Raises `SettingsRefused` for unusable certificates."""
        context = None
        if settings.kafka_security.endswith("SSL"):
            try:
                context = ssl.create_default_context(cafile=settings.kafka_ca_file or None)
                if settings.kafka_certificate_file:
                    context.load_cert_chain(settings.kafka_certificate_file)
            except OSError as error:  # ssl.SSLError is one
                raise SettingsRefused(
                    f"Kafka's certificates cannot be used ({error}): PEAKDESK_KAFKA_CA_FILE and "
                    "PEAKDESK_KAFKA_CERTIFICATE_FILE must name PEM files"
                ) from None
        return cls(
            settings.kafka_security.value,
            context,
            settings.kafka_sasl_mechanism.value,
            settings.kafka_user or None,
            settings.kafka_password.get_secret_value() or None,
        )


@dataclass(frozen=True)
class Connection:
    """Where the brokers are, what they are told about us, and the prefix of all names."""

    bootstrap_servers: str
    prefix: str
    client_id: str
    security: Security

    def client(self) -> dict[str, Any]:
        """Return the options that producers, consumers and bare clients share."""
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "client_id": self.client_id,
            "request_timeout_ms": REQUEST_TIMEOUT_MS,
            "retry_backoff_ms": 100,
            "metadata_max_age_ms": 60_000,
            "connections_max_idle_ms": 540_000,
            "security_protocol": self.security.protocol,
            "ssl_context": self.security.ssl_context,
            "sasl_mechanism": self.security.mechanism,
            "sasl_plain_username": self.security.username,
            "sasl_plain_password": self.security.password,
        }

    def producer(self) -> dict[str, Any]:
        """Return a producer's options.

        No linger: the caller collects, and knows its deadline. No compression: a batch is a
        message or two, and lz4 cost a sixth of the gateway (ADR 23).
        """
        return self.client() | {
            "acks": "all",
            "enable_idempotence": True,
            "transactional_id": None,
            "compression_type": None,
            "max_batch_size": BATCH_BYTES,
            "max_request_size": REQUEST_BYTES,
            "linger_ms": 0,
            "key_serializer": None,
            "value_serializer": None,
        }

    def consumer(self, group: str | None, gather_ms: int = 0) -> dict[str, Any]:
        """Return a consumer's options; without a group it reads what it is assigned by hand.

        With `gather_ms` the broker answers a fetch after that time, or once `GATHER_BYTES` are
        there: a fetch costs much the same, however little it brings.
        """
        least, wait_ms = (GATHER_BYTES, gather_ms) if gather_ms else AT_ONCE
        if group is None:
            wait_ms = READER_WAIT_MS
        return self.client() | {
            "group_id": None if group is None else self.prefix + group,
            "group_instance_id": None,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "isolation_level": "read_uncommitted",
            "check_crcs": True,
            "fetch_min_bytes": least,
            "fetch_max_bytes": FETCH_BYTES,
            "fetch_max_wait_ms": wait_ms,
            "max_partition_fetch_bytes": PARTITION_FETCH_BYTES,
            "max_poll_records": None,
            "max_poll_interval_ms": 300_000,
            "session_timeout_ms": 10_000,
            "heartbeat_interval_ms": 3_000,
            "rebalance_timeout_ms": 20_000,
            "consumer_timeout_ms": FETCHER_LOOK_MS,
            "partition_assignment_strategy": (StickyPartitionAssignor,),
            "exclude_internal_topics": True,
            "key_deserializer": None,
            "value_deserializer": None,
        }
