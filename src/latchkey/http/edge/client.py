"""Client address: the peer's, or the one that a trusted proxy reports."""

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache

import structlog

from latchkey.http.exchange import WHITE_SPACE, Exchange
from latchkey.http.settings import Network

ADDRESSES_KEPT = 4096
ADDRESS_MAX_CHARS = 64
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ZONE = r"(?:%[A-Za-z0-9._~-]+)?"
_PORT = r"(?::[0-9]{1,5})?"
_ADDRESS = re.compile(rf"\[([0-9A-Fa-f:.]+){_ZONE}\]{_PORT}|([0-9.]+){_PORT}|([0-9A-Fa-f]*:[0-9A-Fa-f:.]+){_ZONE}")
log = structlog.get_logger(__name__)


class ClientAddress:
    """Finds the client address of a request. `trusted` are the proxies whose X-Forwarded-For is believed."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted
        # The same peers return often, and parsing an address takes longer than the rest of this layer.
        self._known = lru_cache(maxsize=ADDRESSES_KEPT)(self._look_up)
        self._warned = False

    def identify(self, exchange: Exchange) -> None:
        """Sets `client_ip` and `from_proxy`, and takes X-Request-Id from a trusted proxy, so that its log and ours can
        be joined."""
        exchange.client_ip, exchange.from_proxy = self._known(exchange.peer) or (exchange.peer, False)
        forwarded = exchange.header("x-forwarded-for")
        if not exchange.from_proxy:
            if forwarded is not None and not self._warned:
                self._warned = True
                log.warning("X-Forwarded-For ignored: its sender is not in TRUSTED_PROXIES", peer=exchange.client_ip)
            return
        exchange.client_ip = self._right_most_untrusted(exchange.client_ip, forwarded or "")
        request_id = exchange.header("x-request-id")
        if request_id is not None and _REQUEST_ID.fullmatch(request_id):
            exchange.request_id = request_id

    def _right_most_untrusted(self, client: str, forwarded: str) -> str:
        for entry in [part.strip(WHITE_SPACE) for part in reversed(forwarded.split(","))]:
            found = self._known(entry) if len(entry) <= ADDRESS_MAX_CHARS else None
            if found is None:
                break
            client, is_proxy = found
            if not is_proxy:
                break
        return client

    def _look_up(self, text: str) -> tuple[str, bool] | None:
        """Returns an address in canonical form and whether it is a trusted proxy's.

        None for text that is not an address.
        """
        address = parse_address(text)
        return (str(address), any(address in network for network in self._trusted)) if address else None


def parse_address(text: str) -> Address | None:
    """Parses an IP address without port, brackets or zone. IPv4 mapped into IPv6 becomes IPv4. None for other text."""
    matched = _ADDRESS.fullmatch(text)
    if matched is None:
        return None
    try:
        address = ipaddress.ip_address(matched[1] or matched[2] or matched[3])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=ADDRESSES_KEPT)
def network_of(client_ip: str) -> str:
    """Returns what a client is counted by: its IPv4 address, or the /64 of its IPv6 address, which one household
    has."""
    address = parse_address(client_ip)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address) if address else client_ip
