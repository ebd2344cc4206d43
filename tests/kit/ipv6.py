"""Whether this machine has the IPv6 loopback address."""

import socket

import pytest


def has_ipv6() -> bool:
    """Tells whether this machine has ::1."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here")
