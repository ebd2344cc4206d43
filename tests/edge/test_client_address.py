"""Who a request is counted as: the peer, what a trusted proxy says, and the network that it belongs to."""

import ipaddress
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from latchkey.http.edge.client import ClientAddress, network_of, parse_address
from latchkey.http.exchange import Exchange

PROXY = "10.0.0.1"
TRUSTED = [ipaddress.ip_network(network) for network in ("10.0.0.0/8", "fd00::/8")]
Headers = list[tuple[bytes, bytes]]

v4 = st.ip_addresses(v=4)
v6 = st.ip_addresses(v=6).filter(lambda address: ipaddress.IPv6Address(address).ipv4_mapped is None)
untrusted = (v4 | v6).filter(lambda address: not any(address in network for network in TRUSTED))
trusted = st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="fd00::/8")
noise = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30)


def _identified(peer: str, headers: Headers, *, proxies: bool = True) -> Exchange:
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "client": (peer, 1)}

    async def receive() -> dict[str, str]:
        raise AssertionError("the address is found without the body")

    exchange = Exchange(scope, receive, "0" * 32)
    ClientAddress(TRUSTED if proxies else []).identify(exchange)
    return exchange


def _client(peer: str, *forwarded: str) -> str:
    return _identified(peer, [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]).client_ip


@given(untrusted, noise)
def test_header_of_a_stranger_is_not_believed(peer: object, forwarded: str) -> None:
    """Whoever connects directly is who they are, whatever they write."""
    assert _client(str(peer), forwarded) == str(peer)


@given(untrusted, noise, st.lists(trusted, max_size=3))
def test_right_most_stranger_is_the_client(client: object, invented: str, hops: list[object]) -> None:
    """Each proxy adds on the right; what stands left of the first stranger was written by that stranger."""
    chain = ", ".join([invented, str(client), *map(str, hops)])
    assert _client(PROXY, chain) == str(client)


@given(untrusted, noise, st.lists(trusted, min_size=1, max_size=3))
def test_chain_over_several_header_lines(client: object, invented: str, hops: list[object]) -> None:
    """RFC 9110 section 5.3: repeated lines are one list, so a second line hides nothing."""
    assert _client(PROXY, invented, str(client), *map(str, hops)) == str(client)


@given(st.lists(trusted, min_size=1, max_size=4))
def test_chain_of_proxies_only_ends_with_the_first(hops: list[object]) -> None:
    """A proxy that asks for itself (a health check) is the client."""
    assert _client(PROXY, ", ".join(map(str, hops))) == str(hops[0])


@given(noise, st.lists(trusted, max_size=2))
def test_entry_that_is_no_address_ends_the_chain(junk: str, hops: list[object]) -> None:
    """`unknown`, a name or an empty entry: who is known last counts, and no text of a client becomes a key."""
    assume(parse_address(junk.rpartition(",")[2].strip()) is None)
    expected = str(hops[0]) if hops else PROXY
    assert _client(PROXY, ", ".join([junk, *map(str, hops)])) == expected


@pytest.mark.parametrize("header", ["x-real-ip", "forwarded", "cf-connecting-ip", "true-client-ip", "x-client-ip"])
def test_other_headers_are_never_read(header: str) -> None:
    """A proxy that appends to X-Forwarded-For passes these on as the client wrote them."""
    value = b"for=192.0.2.7" if header == "forwarded" else b"192.0.2.7"
    assert _identified(PROXY, [(header.encode(), value)]).client_ip == PROXY


@pytest.mark.parametrize("peer", ["", "unix:", "not an address"])
def test_peer_that_has_no_address(peer: str) -> None:
    """A Unix socket has none: such peers share one count, and nothing breaks."""
    assert _client(peer, "192.0.2.7") == peer


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("192.0.2.7:4711", "192.0.2.7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("fe80::7%eth0", "fe80::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:80", "192.0.2.7"),
        ("::FFFF:C000:0207", "192.0.2.7"),
    ],
)
def test_spellings_of_an_address(written: str, meant: str) -> None:
    """Proxies add ports, brackets and zones; one client must not get a count for each spelling."""
    assert _client(PROXY, written) == meant


@pytest.mark.parametrize(
    "entry",
    [
        *("\xa0192.0.2.7", "192.0.2.7\xa0", "\x85192.0.2.7", "192.0.2.7\x1f", "\x0b192.0.2.7", "192.0.2.7 x"),
        *("192.0.2.7:", "192.0.2.7:port", "192.0.2.7:471100", "192.0.2.7%eth0", "[192.0.2.7", "[192.0.2.7]x"),
        *("[2001:db8::7]x", "[2001:db8::7]:port", "2001:db8::7%\xa0", "2001:db8::7%", "[2001:db8::7", "2001:db8::7]"),
        *("192.0.2.\xb2", "192.0.02.7", "0xc0.0.2.7", "3221225991"),
    ],
    ids=ascii,
)
def test_entry_that_is_nearly_an_address(entry: str) -> None:
    """Space and tab are all that may stand around one, port and zone all that may stand in it."""
    assert _client(PROXY, f"192.0.2.8, {entry}") == PROXY
    assert _client(PROXY, f"{entry}, \t 192.0.2.8 \t") == "192.0.2.8"


@given(v4)
def test_mapped_address_is_the_one_inside(address: ipaddress.IPv4Address) -> None:
    """A dual-stack socket reports IPv4 clients so; they are trusted and counted as IPv4."""
    mapped = f"::ffff:{address}"
    assert parse_address(mapped) == address
    assert network_of(mapped) == network_of(str(address)) == str(address)
    assert _client(f"::ffff:{PROXY}", "192.0.2.7") == "192.0.2.7"


@given(v6, st.integers(0, 2**64 - 1), st.integers(64, 127))
def test_one_household_is_one_client(address: ipaddress.IPv6Address, host: int, bit: int) -> None:
    """A /64 is the least that anybody is given: its 2^64 addresses are one count; the network beside it is another."""
    start = int(address) >> 64 << 64
    neighbour = ipaddress.IPv6Address(start | host)
    assume(neighbour.ipv4_mapped is None)
    assert network_of(str(neighbour)) == network_of(str(address)) == f"{ipaddress.IPv6Address(start)}/64"
    elsewhere = ipaddress.IPv6Address(int(address) ^ (1 << bit))
    assume(elsewhere.ipv4_mapped is None)
    assert network_of(str(elsewhere)) != network_of(str(address))


@given(st.text(max_size=60))
def test_any_text_has_a_network(text: str) -> None:
    """Counting must not fail, whatever the server or a proxy gives for an address."""
    assert isinstance(network_of(text), str)


@given(noise)
def test_request_id_only_from_a_trusted_proxy(value: str) -> None:
    """The proxy's id joins its log and ours; a stranger's could forge log lines or collide on purpose."""
    header = (b"x-request-id", value.encode("latin-1"))
    stranger, proxy = _identified("192.0.2.7", [header]), _identified(PROXY, [header])
    assert stranger.request_id != value
    assert len(stranger.request_id) == 32
    assert re.fullmatch("[A-Za-z0-9._-]{8,64}", proxy.request_id)


def test_good_request_id_is_taken_over() -> None:
    """A rule that takes none over would pass the test above."""
    header = (b"x-request-id", b"0af7651916cd43dd8448eb211c80319c")
    assert _identified(PROXY, [header]).request_id == "0af7651916cd43dd8448eb211c80319c"
    assert _identified(PROXY, [header], proxies=False).request_id != "0af7651916cd43dd8448eb211c80319c"
