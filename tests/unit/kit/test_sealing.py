"""A sealed secret opens with its key, about what it was sealed about, and in no other way."""

import pytest
from pydantic import SecretStr

from kit.sealing import Sealer, Unsealable

pytestmark = pytest.mark.unit

SEALER = Sealer(SecretStr("a" * 32))


def test_what_was_sealed_opens_again_and_looks_different_each_time() -> None:
    first, second = (SEALER.seal("机器人", about="channel 1") for _ in range(2))

    assert SEALER.open(first, about="channel 1") == "机器人"
    assert first != second
    assert "机器人".encode() not in first


def test_nothing_opens_with_another_key_about_another_thing_or_damaged() -> None:
    sealed = SEALER.seal("secret", about="channel 1")

    for sealer, data, about in (
        (Sealer(SecretStr("b" * 32)), sealed, "channel 1"),
        (SEALER, sealed, "channel 2"),
        (SEALER, sealed[:-1] + bytes([sealed[-1] ^ 1]), "channel 1"),
        (SEALER, b"\x02" + sealed[1:], "channel 1"),
        (SEALER, b"", "channel 1"),
    ):
        with pytest.raises(Unsealable):
            sealer.open(data, about=about)
