"""What a process is told from outside: `PEAKDESK_*` variables, checked before anything starts.

Knows the settings every service shares; a service adds its own fields in its `settings.py`.
"""

import base64
import binascii
import difflib
import os
from collections.abc import Iterator
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Self, TypeVar, cast

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as SourceError
from typing_extensions import override

PREFIX: Final = "PEAKDESK_"
FILE_SUFFIX: Final = "_FILE"

SECRET_FILE_LIMIT: Final = 64 * 1024
"""Bytes of a secret file at most; a larger one is a wrong path and stops the start."""

DEVELOPMENT_PUBLIC_KEY: Final = "WXFqkORbCG+5wwYAjx6m9P9XlnOuwBamjMRzkVrFLl0="
DEVELOPMENT_PRIVATE_KEY: Final = SecretStr("cGVha2Rlc2sgZGV2ZWxvcG1lbnQga2V5IDEyMzQ1Njc=")
"""A key pair that everybody knows. It makes a bare `Settings()` usable in tests and refuses
production."""

_KEY_BYTES: Final = 32
"""A raw Ed25519 key, and the least length of a signing secret."""

DEVELOPMENT_SECRET: Final = SecretStr("peakdesk-development-secret-32-bytes!")


class Environment(StrEnum):
    """Where the process runs; decides only how strict the start is, never what a service does."""

    LOCAL = "local"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    """How log lines look."""

    CONSOLE = "console"
    JSON = "json"


class KafkaSecurity(StrEnum):
    """How brokers are spoken to: Kafka's `security.protocol`."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """How a client proves to a broker who it is."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class SettingsRefused(Exception):
    """The process must not start. The text names variables and says what to do, never a value."""


class MustBeSet:
    """Marks a field whose default is only for development: production refuses it."""


class MayStayEmpty:
    """Marks a secret that not every deployment has: production accepts its default."""


class KafkaSettings(BaseSettings):
    """Where Kafka is and how it is spoken to; what makes its topics reads these alone."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    environment: Environment = Environment.LOCAL
    """`local` or `production`; decides only how strict the start is."""
    bootstrap_servers: str = "127.0.0.1:9092"
    """Brokers to begin with: `host:port`, separated by commas."""
    kafka_topic_prefix: str = Field(default="", pattern=r"^[a-z0-9._-]{0,40}$")
    """Stands before every topic and group, where several PeakDesks share brokers."""
    kafka_security: KafkaSecurity = KafkaSecurity.PLAINTEXT
    """`PLAINTEXT` is for a network that nobody else is on."""
    allow_plaintext_broker: bool = False
    """Says of production that its network is such a one; without it production refuses brokers
    that are spoken to in the clear, with a password (`SASL_PLAINTEXT`) or without."""
    kafka_ca_file: str = ""
    """PEM certificates that vouch for the brokers; empty: those that the system trusts."""
    kafka_certificate_file: str = ""
    """PEM certificate, and the key below it, that the brokers ask for with mutual TLS."""
    kafka_sasl_mechanism: SaslMechanism = SaslMechanism.SCRAM_SHA_512
    """How the password is proved to the brokers."""
    kafka_user: str = ""
    """The user of the two `SASL_` ways."""
    kafka_password: Annotated[SecretStr, MayStayEmpty()] = SecretStr("")
    """Its password."""

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments first, then variables, then secret files; nothing else."""
        return init_settings, env_settings, _SecretFiles(settings_cls)

    @model_validator(mode="after")
    def _check_kafka(self) -> Self:
        named = self.kafka_user and self.kafka_password.get_secret_value()
        if self.kafka_security.startswith("SASL") and not named:
            raise ValueError(
                f"{PREFIX}KAFKA_SECURITY={self.kafka_security} needs {PREFIX}KAFKA_USER and "
                f"{PREFIX}KAFKA_PASSWORD, or a file with the suffix {FILE_SUFFIX} for the latter"
            )
        files = [
            name for name in ("kafka_ca_file", "kafka_certificate_file") if getattr(self, name)
        ]
        if files and not self.kafka_security.endswith("SSL"):
            raise ValueError(
                f"{variable(files[0])} is set, but {PREFIX}KAFKA_SECURITY={self.kafka_security} "
                "uses no certificates: set SSL or SASL_SSL"
            )
        for name in files:
            if not Path(getattr(self, name)).is_file():
                raise ValueError(f"{variable(name)}: there is no file {getattr(self, name)}")
        self._refuse_plaintext()
        return self

    def _refuse_plaintext(self) -> None:
        in_clear = not self.kafka_security.endswith("SSL")
        production = self.environment is Environment.PRODUCTION
        if production and in_clear and not self.allow_plaintext_broker:
            raise ValueError(
                f"production would speak to {self.bootstrap_servers} in the clear "
                f"({PREFIX}KAFKA_SECURITY={self.kafka_security}): set SSL or SASL_SSL, or "
                f"{PREFIX}ALLOW_PLAINTEXT_BROKER=true on a network that nobody else is on"
            )


class ServiceSettings(KafkaSettings):
    """The settings every service has. Each field is read from `PEAKDESK_<NAME>`.

    A field of type `SecretStr`, or marked `MustBeSet`, may also come from the file that
    `PEAKDESK_<NAME>_FILE` names, and must differ from its default in production unless it is marked
    `MayStayEmpty`. A `PEAKDESK_*` variable that is no field of the class stops the start: it is a
    typing error or another service's setting.
    """

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=0, ge=0, le=65_535)
    """Public HTTP; 0 takes a free port."""
    admin_port: int = Field(default=0, ge=0, le=65_535)
    """Health, metrics and internal routes; never to be reachable by clients."""
    trusted_proxies: str = ""
    """Addresses or networks, separated by commas, whose `X-Forwarded-For` is believed: for the
    gateway those of its ingress or load balancer, for a service those of the gateways."""
    token_public_key: Annotated[str, MustBeSet()] = DEVELOPMENT_PUBLIC_KEY
    """Verifies people's tokens: base64 of a raw Ed25519 public key."""
    service_public_key: Annotated[str, MustBeSet()] = DEVELOPMENT_PUBLIC_KEY
    """Verifies tokens that services show one another: base64 of a raw Ed25519 public key."""
    cursor_secret: SecretStr = DEVELOPMENT_SECRET
    """Signs page cursors; at least 32 bytes."""
    log_level: str = Field(default="INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")
    """`DEBUG`, `INFO`, `WARNING` or `ERROR`."""
    log_format: LogFormat = LogFormat.CONSOLE
    """`console` for people, `json` for machines."""
    trace_file: str = ""
    """Spans are appended here as JSON lines; empty writes none."""
    otlp_endpoint: str = Field(default="", pattern=r"^(https?://.+)?$")
    """Spans are sent here by OTLP over HTTP, such as `http://collector:4318/v1/traces`; empty sends
    none. What headers the collector wants, `OTEL_EXPORTER_OTLP_HEADERS` says."""

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Refuse variables that are no field, then read as `KafkaSettings` does."""
        _refuse_unknown(cast("type[ServiceSettings]", settings_cls))
        return super().settings_customise_sources(
            settings_cls, init_settings, env_settings, dotenv_settings, file_secret_settings
        )

    @model_validator(mode="after")
    def _check_shared(self) -> Self:
        _refuse_bad_networks("trusted_proxies", self.trusted_proxies)
        if len(self.cursor_secret.get_secret_value().encode()) < _KEY_BYTES:
            raise ValueError(f"{PREFIX}CURSOR_SECRET needs at least {_KEY_BYTES} bytes")
        _refuse_bad_key("token_public_key", self.token_public_key)
        _refuse_bad_key("service_public_key", self.service_public_key)
        if self.environment is Environment.PRODUCTION:
            known = [
                variable(name)
                for name, field in type(self).model_fields.items()
                if must_be_set(field) and _is_default(getattr(self, name), field)
            ]
            if known:
                raise ValueError(
                    f"production needs its own {', '.join(known)}: set each, or name a file "
                    f"that holds it with the suffix {FILE_SUFFIX}"
                )
        return self


class DatabaseSettings(ServiceSettings):
    """The settings of every service that stores. A service gives `database_url` its own default."""

    database_url: SecretStr = SecretStr("postgresql+asyncpg://127.0.0.1/peakdesk")
    """SQLAlchemy address; its role has the rows of the service's schema and nothing else."""
    database_pool: int = Field(default=8, ge=3, le=50)
    """Connections that are kept; none above it."""


S = TypeVar("S", bound=KafkaSettings)


def load(settings_class: type[S], **given: Any) -> S:
    """Return the settings of this process; what is `given` by field name stands over variables.

    Raises `SettingsRefused` with one readable sentence.
    """
    try:
        return settings_class(**given)
    except ValidationError as error:
        raise SettingsRefused("; ".join(_complaints(error))) from None
    except SourceError as error:
        raise SettingsRefused(f"{error}: check the form of its value") from None


def variable(field_name: str) -> str:
    """Return the environment variable of a field."""
    return f"{PREFIX}{field_name.upper()}"


def is_secret(field: FieldInfo) -> bool:
    """Tell whether a field may come from a file."""
    return field.annotation is SecretStr or any(isinstance(m, MustBeSet) for m in field.metadata)


def must_be_set(field: FieldInfo) -> bool:
    """Tell whether production refuses the field's default."""
    return is_secret(field) and not any(isinstance(m, MayStayEmpty) for m in field.metadata)


def known_variables(settings_class: type[ServiceSettings]) -> frozenset[str]:
    """Return every variable a process with these settings accepts."""
    fields = settings_class.model_fields.items()
    plain = {variable(name) for name, _ in fields}
    files = {variable(name) + FILE_SUFFIX for name, field in fields if is_secret(field)}
    return frozenset(plain | files)


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads `PEAKDESK_X_FILE` for every secret field X."""

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(variable(field_name) + FILE_SUFFIX, "")
        if not path or not is_secret(field):
            return None, field_name, False
        return _read_secret(variable(field_name) + FILE_SUFFIX, path), field_name, False

    @override
    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


def _read_secret(name: str, path: str) -> str:
    if os.environ.get(name.removesuffix(FILE_SUFFIX)):
        raise SettingsRefused(f"{name} and {name.removesuffix(FILE_SUFFIX)} are both set: keep one")
    try:
        content = Path(path).read_bytes()
        if len(content) > SECRET_FILE_LIMIT:
            raise SettingsRefused(f"{name}: {path} is larger than a secret can be: name its file")
        return content.decode().strip()
    except OSError as error:
        raise SettingsRefused(f"{name}: cannot read {path} ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SettingsRefused(f"{name}: {path} is not UTF-8 text") from None


def _refuse_unknown(settings_class: type[ServiceSettings]) -> None:
    known = known_variables(settings_class)
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.0)
            raise SettingsRefused(
                f"{name} is not a setting of this service: remove it, or did you mean {near[0]}?"
            )


def _is_default(value: object, field: FieldInfo) -> bool:
    shown = value.get_secret_value() if isinstance(value, SecretStr) else value
    default = field.default
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    return not shown or shown == default


def _refuse_bad_networks(name: str, text: str) -> None:
    try:
        for entry in filter(None, (entry.strip() for entry in text.split(","))):
            ip_network(entry)
    except ValueError:
        raise ValueError(
            f"{variable(name)} must be addresses or networks, separated by commas, such as "
            "10.1.0.0/16: with a mask, only the bits that it covers"
        ) from None


def _refuse_bad_key(name: str, text: str) -> None:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise ValueError(
            f"{variable(name)} must be the base64 of {_KEY_BYTES} bytes (an Ed25519 key)"
        )


def _complaints(error: ValidationError) -> Iterator[str]:
    for item in error.errors(include_input=False, include_url=False, include_context=False):
        where = variable(str(item["loc"][0])) + ": " if item["loc"] else ""
        yield where + item["msg"].removeprefix("Value error, ")
