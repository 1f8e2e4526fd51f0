"""Where something may be sent to: public names over https, however an address is dressed up."""

import pytest

from kit.outgoing import AddressRefused, StandIns, is_public, target

pytestmark = pytest.mark.unit

REFUSED = {
    "https://127.0.0.1/": "address",
    "https://[::1]/": "address",
    "https://169.254.169.254/latest/meta-data": "address",
    "https://10.0.0.8/": "address",
    "https://2130706433/": "address",
    "https://0x7f.1/": "address",
    "https://0x7f000001/": "address",
    "https://017700000001/": "address",
    "https://127.1/": "address",
    "https://[::ffff:127.0.0.1]/": "address",
    "https://8.8.8.8/": "address",
    "https://oapi.dingtalk.com@10.0.0.1/": "userinfo",
    "https://me:secret@hooks.example.com/": "userinfo",
    "https://hooks.example.com\\@10.0.0.1/": "not_a_url",
    "https://hooks.example.com#@10.0.0.1/": "not_a_url",
    "https://hooks.example.com:22/": "port",
    "https://hooks.example.com:70000/": "not_a_url",
    "https://localhost/": "not_a_name",
    "https://robots/": "not_a_name",
    "https://hooks_.example.com/": "not_a_name",
    "https://hooks.例子.com/": "not_a_url",
    "https://hooks.example.com/a b": "not_a_url",
    "https://hooks.example.com/\r\nX: y": "not_a_url",
    "http://hooks.example.com/": "not_https",
    "file:///etc/passwd": "not_a_url",
    "gopher://hooks.example.com/": "not_https",
    "//hooks.example.com/": "not_https",
    "": "not_a_url",
    "https://": "not_a_url",
    "https://hooks.example.com/" + "a" * 2_048: "not_a_url",
}


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_or_a_trick_is_no_place_to_send_to(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        target(url)

    assert refused.value.reason == REFUSED[url]


def test_a_public_name_over_https_is_one() -> None:
    found = target("https://oapi.dingtalk.com/robot/send?access_token=1")

    assert (found.host, found.port, found.path) == (
        "oapi.dingtalk.com",
        443,
        "/robot/send?access_token=1",
    )
    assert found.authority == "oapi.dingtalk.com"


def test_a_listed_stand_in_may_be_private_and_in_the_clear_and_nothing_beside_it() -> None:
    listed = StandIns.of(" 127.0.0.1:8099, Robots.internal ")

    assert target("http://127.0.0.1:8099/x", listed).authority == "127.0.0.1:8099"
    assert target("http://robots.internal/x", listed).is_stand_in
    for other in ("http://127.0.0.1:8098/", "https://127.0.0.2/", "http://other.internal/"):
        with pytest.raises(AddressRefused):
            target(other, listed)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",  # noqa: S104 - an address to refuse, not to listen on
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "192.0.2.1",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "3fff::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "no address",
    ],
)
def test_what_is_not_of_the_open_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "203.119.205.1", "2400:3200::1"])
def test_what_is_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)
