"""The proxies of examples/, run by the real programs with the example's own configuration."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.kit import plain_http
from tests.kit.waiting import eventually

EXAMPLES = Path(__file__).parents[2] / "examples"
LATCHKEY, APP, PEOPLE = "127.0.0.1:3000", "127.0.0.1:8000", "8080"
"""The addresses that stand in an example."""
# What a distribution's nginx.conf has around conf.d.
AROUND = """
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{}}
http {{
    access_log off;
    # The bodies of tests stay in memory: nginx's workers may have no right to write here.
    client_body_buffer_size 1m;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/example.conf;
}}
"""


@contextmanager
def example_nginx(program: str, directory: Path, *, latchkey: int, app: int, port: int) -> Iterator[None]:
    """Runs examples/nginx/forward-auth.conf, with these ports."""
    example = with_ports(EXAMPLES / "nginx" / "forward-auth.conf", latchkey=latchkey, app=app, port=port)
    (directory / "example.conf").write_text(example)
    (directory / "nginx.conf").write_text(AROUND.format(directory=directory))
    log = directory / "error.log"
    with _running([program, "-p", str(directory), "-c", str(directory / "nginx.conf"), "-e", str(log)], log, port):
        yield


@contextmanager
def example_caddy(program: str, directory: Path, *, latchkey: int, app: int, port: int) -> Iterator[None]:
    """Runs examples/caddy/Caddyfile, with these ports."""
    example = with_ports(EXAMPLES / "caddy" / "Caddyfile", latchkey=latchkey, app=app, port=port)
    file, log = directory / "Caddyfile", directory / "caddy.log"
    # Without its administration port, which tests that run together would share.
    file.write_text(f"{{\n\tadmin off\n}}\n{example}")
    # Where it keeps its state.
    home = os.environ | {"XDG_CONFIG_HOME": str(directory), "XDG_DATA_HOME": str(directory)}
    with _running([program, "run", "--config", str(file), "--adapter", "caddyfile"], log, port, home):
        yield


def with_ports(file: Path, *, latchkey: int, app: int, port: int) -> str:
    """Returns an example with other ports."""
    text = file.read_text()
    for old, new in ((LATCHKEY, f"127.0.0.1:{latchkey}"), (APP, f"127.0.0.1:{app}"), (PEOPLE, str(port))):
        assert old in text, f"{file} does not name {old}"
        text = text.replace(old, new)
    return text


@contextmanager
def _running(command: list[str], log: Path, port: int, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            plain_http.get(f"http://127.0.0.1:{port}/")
        except httpx.TransportError:
            return False
        return True

    try:
        eventually(answers, "the proxy answers")
        yield
    finally:
        process.terminate()
        process.wait()
