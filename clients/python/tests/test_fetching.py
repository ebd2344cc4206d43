"""HTTPS, and servers that stall."""

import datetime as dt
import ipaddress
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from latchkey_client.fetching import FetchFailed, fetch


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def https_server(certificate: Path) -> Iterator[str]:
    """Answers every GET with the Host header."""

    class Requests(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that http.server calls
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.headers["Host"].encode())

        def log_message(self, *_: object) -> None:
            """Prints nothing."""

    class Server(HTTPServer):
        def handle_error(self, *_: object) -> None:
            """Says nothing of clients that trust no certificate."""

    with Server(("127.0.0.1", 0), Requests) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield f"https://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def test_a_certificate_of_nobodys_is_refused(certificate: Path) -> None:
    with https_server(certificate) as url, pytest.raises(FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(url, seconds=10, max_bytes=100)


def test_an_authority_of_the_machines_is_trusted(certificate: Path) -> None:
    program = """
import sys
from latchkey_client.fetching import FetchFailed, fetch
url = sys.argv[1]
assert fetch(url, seconds=10, max_bytes=100).decode() == url.split("/")[2]
try:
    fetch(url.replace("127.0.0.1", "localhost"), seconds=10, max_bytes=100)
except FetchFailed as failure:
    assert "CERTIFICATE_VERIFY_FAILED" in str(failure), failure
else:
    raise AssertionError("the certificate is not for localhost")
"""
    # OpenSSL reads this variable: it is how private authorities are made known.
    variables = os.environ | {"SSL_CERT_FILE": str(certificate)}
    with https_server(certificate) as url:
        subprocess.run([sys.executable, "-c", program, url], env=variables, check=True, timeout=60)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_says_nothing_is_given_up(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(FetchFailed):
            fetch(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.3, max_bytes=100)
        assert time.monotonic() - began < 30


def test_a_handshake_that_drips_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def drip() -> None:
            connection, _ = server.accept()
            # The beginning of a record of 16 kB, which comes byte by byte.
            with connection:
                try:
                    connection.sendall(b"\x16\x03\x03\x40\x00")
                    while True:
                        connection.sendall(b"\x02")
                        time.sleep(0.02)
                except OSError:
                    pass

        thread = Thread(target=drip, daemon=True)
        thread.start()
        with pytest.raises(FetchFailed):
            fetch(f"https://127.0.0.1:{port}/", seconds=0.5, max_bytes=100)
        thread.join(30)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(FetchFailed):
        fetch(f"http://127.0.0.1:{port}/", seconds=5, max_bytes=100)


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(FetchFailed):
        fetch("https://latchkey.invalid/", seconds=5, max_bytes=100)
