"""Where simulated people have no place, nobody is played."""

import pytest

from player.__main__ import main

pytestmark = pytest.mark.unit

RIGHT = {
    "PEAKDESK_ENVIRONMENT": "local",
    "PEAKDESK_URL": "http://127.0.0.1:7300",
    "PEAKDESK_ADMIN_PASSWORD": "long-enough-1",
    "PEAKDESK_AGENT_PASSWORD": "long-enough-2",
}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PEAKDESK_ENVIRONMENT", "production", "no place in production"),
        ("PEAKDESK_URL", "https://peakdesk.example", "an address of this machine"),
        ("PEAKDESK_URL", "http://192.0.2.7:7300", "an address of this machine"),
        ("PEAKDESK_ADMIN_PASSWORD", "", "at least 8"),
        ("PEAKDESK_AGENT_PASSWORD", "short", "at least 8"),
    ],
)
def test_it_refuses_and_says_why_without_the_value(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, right in (RIGHT | {name: value}).items():
        monkeypatch.setenv(variable, right)

    with pytest.raises(SystemExit) as refused:
        main()

    assert words in str(refused.value.code)
    assert "long-enough" not in str(refused.value.code)
