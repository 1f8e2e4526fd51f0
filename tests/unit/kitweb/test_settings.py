"""Settings are complete and right, or the process does not start (attack table, row 62)."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from kit.settings import (
    DEVELOPMENT_PRIVATE_KEY,
    Environment,
    KafkaSettings,
    ServiceSettings,
    SettingsRefused,
    known_variables,
    load,
)
from kit.web.tokens import generate_keypair

pytestmark = pytest.mark.unit


class Settings(ServiceSettings):
    database_url: SecretStr = SecretStr("postgresql://local")
    allowed_origins: str = ""


PRODUCTION = {
    "PEAKDESK_ENVIRONMENT": "production",
    "PEAKDESK_ALLOW_PLAINTEXT_BROKER": "true",
    "PEAKDESK_TOKEN_PUBLIC_KEY": generate_keypair().public,
    "PEAKDESK_SERVICE_PUBLIC_KEY": generate_keypair().public,
    "PEAKDESK_CURSOR_SECRET": "c" * 32,
    "PEAKDESK_DATABASE_URL": "postgresql://somewhere",
}


def given(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_a_bare_local_process_starts() -> None:
    assert load(Settings).environment is Environment.LOCAL


def test_variables_become_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, {**PRODUCTION, "PEAKDESK_PORT": "8081", "PEAKDESK_HOST": "10.0.0.7"})
    settings = load(Settings)
    assert (settings.host, settings.port) == ("10.0.0.7", 8081)
    assert settings.database_url.get_secret_value() == "postgresql://somewhere"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PEAKDESK_DATABSE_URL", "PEAKDESK_DATABASE_URL"),
        ("PEAKDESK_PROT", "PEAKDESK_PORT"),
        ("peakdesk_hosts", "PEAKDESK_HOST"),
        ("PEAKDESK_PORT_FILE", "PEAKDESK_"),
    ],
)
def test_an_unknown_variable_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(SettingsRefused, match=f"{name} is not a setting.*{meant}"):
        load(Settings)


@pytest.mark.parametrize(
    "missing",
    [
        "PEAKDESK_TOKEN_PUBLIC_KEY",
        "PEAKDESK_SERVICE_PUBLIC_KEY",
        "PEAKDESK_CURSOR_SECRET",
        "PEAKDESK_DATABASE_URL",
    ],
)
def test_production_refuses_a_secret_that_everybody_knows(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    given(monkeypatch, {name: value for name, value in PRODUCTION.items() if name != missing})
    with pytest.raises(SettingsRefused, match=missing):
        load(Settings)
    given(monkeypatch, {missing: ""})
    with pytest.raises(SettingsRefused, match=missing):
        load(Settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PEAKDESK_PORT", "many"),
        ("PEAKDESK_PORT", "70000"),
        ("PEAKDESK_TOKEN_PUBLIC_KEY", "c2VjcmV0"),
        ("PEAKDESK_CURSOR_SECRET", "hush"),
        ("PEAKDESK_LOG_FORMAT", "xml"),
        ("PEAKDESK_KAFKA_TOPIC_PREFIX", "a b"),
    ],
)
def test_a_wrong_value_is_named_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsRefused, match=name) as caught:
        load(Settings)
    assert value not in str(caught.value).replace(name, "")


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "dsn"
    file.write_text("postgresql://from-file\n")
    given(monkeypatch, {**PRODUCTION, "PEAKDESK_DATABASE_URL_FILE": str(file)})
    monkeypatch.delenv("PEAKDESK_DATABASE_URL")
    assert load(Settings).database_url.get_secret_value() == "postgresql://from-file"


def test_a_secret_file_that_cannot_be_read_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PEAKDESK_DATABASE_URL_FILE", str(tmp_path / "absent"))
    with pytest.raises(SettingsRefused, match="cannot read"):
        load(Settings)
    large = tmp_path / "large"
    large.write_bytes(b"x" * 100_000)
    monkeypatch.setenv("PEAKDESK_DATABASE_URL_FILE", str(large))
    with pytest.raises(SettingsRefused, match="larger"):
        load(Settings)


def test_a_secret_given_twice_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given(monkeypatch, {**PRODUCTION, "PEAKDESK_DATABASE_URL_FILE": str(tmp_path)})
    with pytest.raises(SettingsRefused, match="both set"):
        load(Settings)


def test_only_secrets_have_files() -> None:
    known = known_variables(Settings)
    assert "PEAKDESK_CURSOR_SECRET_FILE" in known
    assert "PEAKDESK_TOKEN_PUBLIC_KEY_FILE" in known
    assert "PEAKDESK_PORT_FILE" not in known


def test_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, PRODUCTION)
    shown = repr(load(Settings)) + str(load(Settings).model_dump())
    assert "postgresql://somewhere" not in shown
    assert "c" * 32 not in shown
    assert DEVELOPMENT_PRIVATE_KEY.get_secret_value() not in shown


SECURED = {
    "PEAKDESK_KAFKA_SECURITY": "SASL_SSL",
    "PEAKDESK_KAFKA_USER": "desk",
    "PEAKDESK_KAFKA_PASSWORD": "secret",
}


def test_production_may_speak_to_open_brokers_and_to_secured_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given(monkeypatch, PRODUCTION)
    assert load(Settings).kafka_security == "PLAINTEXT"

    (tmp_path / "password").write_text("from a file\n", encoding="utf-8")
    given(monkeypatch, SECURED | {"PEAKDESK_KAFKA_PASSWORD_FILE": str(tmp_path / "password")})
    monkeypatch.delenv("PEAKDESK_KAFKA_PASSWORD")

    assert load(Settings).kafka_password.get_secret_value() == "from a file"


@pytest.mark.parametrize("security", ["PLAINTEXT", "SASL_PLAINTEXT"])
@pytest.mark.parametrize("settings", [Settings, KafkaSettings])
def test_production_names_a_broker_in_the_clear_and_refuses_it(
    monkeypatch: pytest.MonkeyPatch, settings: type[KafkaSettings], security: str
) -> None:
    given(monkeypatch, PRODUCTION | SECURED | {"PEAKDESK_KAFKA_SECURITY": security})
    given(monkeypatch, {"PEAKDESK_BOOTSTRAP_SERVERS": "kafka.example:9092"})
    assert load(settings).kafka_security == security

    monkeypatch.delenv("PEAKDESK_ALLOW_PLAINTEXT_BROKER")
    with pytest.raises(SettingsRefused, match=r"kafka\.example:9092 in the clear") as refused:
        load(settings)

    assert "PEAKDESK_ALLOW_PLAINTEXT_BROKER" in str(refused.value)
    given(monkeypatch, SECURED)
    assert load(settings).kafka_security == "SASL_SSL", "which needs no leave"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"PEAKDESK_KAFKA_SECURITY": "TLS"}, "PEAKDESK_KAFKA_SECURITY"),
        ({"PEAKDESK_KAFKA_PASSWORD": ""}, "PEAKDESK_KAFKA_PASSWORD"),
        ({"PEAKDESK_KAFKA_USER": ""}, "PEAKDESK_KAFKA_USER"),
        ({"PEAKDESK_KAFKA_CA_FILE": "/nowhere/ca.pem"}, "/nowhere/ca.pem"),
        (
            {"PEAKDESK_KAFKA_SECURITY": "PLAINTEXT", "PEAKDESK_KAFKA_CA_FILE": "/etc/hostname"},
            "SASL_SSL",
        ),
    ],
)
def test_half_a_way_to_a_secured_broker_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], named: str
) -> None:
    given(monkeypatch, SECURED | changed)

    with pytest.raises(SettingsRefused, match=named) as refused:
        load(Settings)

    assert "secret" not in str(refused.value)
