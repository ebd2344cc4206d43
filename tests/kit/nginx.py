"""A real nginx in front of a server, under a path of the app's own host."""

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import httpx

from tests.kit import plain_http
from tests.kit.server import Server
from tests.kit.waiting import SECONDS

# As in docs/operations.md for a path, but without TLS.
CONFIGURATION = """
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 "the app"; }}
        location {root}/ {{
            proxy_pass http://127.0.0.1:{upstream}{stripped};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Request-Id $request_id;
            proxy_pass_header Server;
        }}
    }}
}}
"""


class Nginx:
    """nginx on 127.0.0.1:`port`. It passes `root`/… to a server, with `root` kept or stripped."""

    def __init__(self, program: str, directory: Path, port: int, root: str, upstream: Server, *, strips: bool) -> None:
        self.url = f"http://localhost:{port}{root}"
        self.server = replace(upstream, url=self.url)
        file = directory / "nginx.conf"
        file.write_text(
            CONFIGURATION.format(
                directory=directory, port=port, root=root, upstream=upstream.port, stripped="/" if strips else ""
            )
        )
        self._log = directory / "error.log"
        self._process = subprocess.Popen(
            [program, "-p", str(directory), "-c", str(file), "-e", str(self._log)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                if plain_http.get(f"{self.url}/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.02)
            assert time.monotonic() < deadline, self._log.read_text() if self._log.exists() else "nginx does not start"

    def stop(self) -> None:
        """Stops it and its workers."""
        self._process.terminate()
        self._process.wait()
