"""How soon an API that verifies tokens itself refuses those of an ended session: `make measure-verifier`.

The Python client follows `/revocations` with an API key. A thousand native sessions end by a logout, one after the
other, while the client is asked without a pause whether it still accepts the access token.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psycopg

from bench.services import create_api_key
from tests.kit.own_postgres import own_postgres
from tests.kit.server import start_server

# The client is a package of its own, which needs nothing that is not here.
sys.path.insert(0, str(Path(__file__).parents[1] / "clients" / "python" / "src"))

from latchkey_client import Latchkey, Refused

ENDINGS = 1_000
ACCOUNT = {"name": "Measured", "email": "measured@example.com", "password": "Secret123!"}
NATIVE = {"X-Client-Type": "native"}


def main() -> None:
    """Starts everything, measures and prints."""
    with own_postgres() as postgres, tempfile.TemporaryDirectory() as directory:
        server = start_server(postgres.dsn, Path(directory), SESSION_LIMIT="0")
        with psycopg.connect(postgres.dsn, autocommit=True) as connection:
            key = create_api_key(postgres.dsn, "revocations:read")
            assert connection.execute("SELECT count(*) FROM signing_keys").fetchone() == (1,)
        auth = Latchkey(server.url.replace("127.0.0.1", "localhost"), api_key=key)
        with httpx.Client(base_url=server.url, headers=NATIVE, timeout=30) as client:
            client.post("/auth/register", json=ACCOUNT).raise_for_status()
            delays = sorted(delay(client, auth) for _ in range(ENDINGS))
        server.kill()
    shown = [statistics.median(delays), delays[int(0.99 * ENDINGS)], delays[-1]]
    print(f"{ENDINGS} sessions ended, {os.cpu_count()} cores, PostgreSQL and both programs on them")
    print("ms from the logout's answer until the client refused: " + ", ".join(f"{each * 1000:.1f}" for each in shown))
    print("(median, p99, maximum)")


def delay(client: httpx.Client, auth: Latchkey) -> float:
    """Opens a session and ends it. Returns the seconds until the client refused its access token."""
    tokens = client.post("/auth/login", json=ACCOUNT).json()["data"]["tokens"]
    auth.verify(tokens["accessToken"])
    client.post("/auth/logout", json={"refreshToken": tokens["refreshToken"]}).raise_for_status()
    ended = time.perf_counter()
    while True:
        try:
            auth.verify(tokens["accessToken"])
        except Refused:
            return time.perf_counter() - ended
        # Another thread of this program follows the endings.
        time.sleep(0.0005)


if __name__ == "__main__":
    main()
