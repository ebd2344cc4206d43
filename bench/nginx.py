"""nginx in front of a server, as docs/operations.md has it, but without TLS."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.kit.ports import free_port

START_SECONDS = 10.0
CONFIGURATION = r"""
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log crit;
worker_processes auto;
worker_rlimit_nofile 20000;
events {{ worker_connections 10000; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    limit_conn_zone $binary_remote_addr zone=per_address:10m;
    proxy_cache_path {directory}/cache keys_zone=assets:1m max_size=50m;
    upstream latchkey {{
        server 127.0.0.1:{upstream};
        keepalive 32;
    }}
    server {{
        listen 127.0.0.1:{port} sndbuf=64k;
        client_max_body_size 16k;
        client_header_timeout 10s;
        client_body_timeout 10s;
        send_timeout 30s;
        limit_conn per_address 100;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Request-Id $request_id;
        proxy_pass_header Server;
        location / {{
            proxy_pass http://latchkey;
        }}
        location ~ \.(js|css|png)$ {{
            proxy_pass http://latchkey;
            proxy_cache assets;
            proxy_cache_lock on;
        }}
    }}
}}
"""


@contextmanager
def nginx(upstream: int) -> Iterator[str]:
    """Starts nginx before the server on that port; its URL. Raises SystemExit when it does not start."""
    with tempfile.TemporaryDirectory(prefix="latchkey-nginx-") as name:
        directory, port = Path(name), free_port()
        # Its workers are another user where it is started by root.
        directory.chmod(0o711)
        file, log = directory / "nginx.conf", directory / "error.log"
        file.write_text(CONFIGURATION.format(directory=directory, port=port, upstream=upstream), encoding="utf-8")
        process = subprocess.Popen(
            ["nginx", "-p", str(directory), "-c", str(file), "-e", str(log)],  # noqa: S607 the one that is installed
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_until_it_answers(f"http://127.0.0.1:{port}", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _wait_until_it_answers(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.02)
    raise SystemExit(f"nginx does not start:\n{log.read_text(encoding='utf-8') if log.exists() else ''}")
