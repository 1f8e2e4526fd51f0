"""What a Java of ours is given of the environment that it is started in."""

import pytest

from launcher.kafka import java

pytestmark = pytest.mark.unit


def test_java_is_given_its_own_options_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLASSPATH", "/somebody/else")
    monkeypatch.delenv("JDK_JAVA_OPTIONS", raising=False)
    assert java.environment() == {"LANG": "C.UTF-8"}

    monkeypatch.setenv("JDK_JAVA_OPTIONS", "-Xmx1g")
    assert java.environment() == {"LANG": "C.UTF-8", "JDK_JAVA_OPTIONS": "-Xmx1g"}
