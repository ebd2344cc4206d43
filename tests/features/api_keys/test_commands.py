"""`latchkey api-keys`, and what an operator sees of keys elsewhere."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.kit.browser import refused
from tests.kit.command_line import Result, latchkey
from tests.kit.server import Server
from tests.kit.services import Service, id_of
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

Run = Callable[..., Result]
REVOKED_EVERYWHERE_SECONDS = 2.0


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    """Runs `latchkey api-keys …` on the test's database, without any secret."""
    return partial(latchkey, "api-keys", directory=tmp_path, dsn=database, JWT_ACCESS_SECRET="", JWT_REFRESH_SECRET="")


def audit_rows(sql: Sql) -> list[dict[str, Any]]:
    """Returns all audit rows, oldest first."""
    return sql.execute("SELECT * FROM audit_logs ORDER BY id").fetchall()


def test_from_creation_to_revocation(
    run: Run, start: Callable[..., Server], open_service: Callable[..., Service]
) -> None:
    """A key works on every instance until it is revoked, and is refused on all of them within two seconds."""
    servers = [start(), start()]
    created = run("create", "the shop", "--scope", "revocations:read", "--scope", "tokens:introspect")
    assert created.code == 0, created
    key = created.out.strip()
    assert re.fullmatch("lk_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", key)
    assert "not shown again" in created.err
    assert key not in created.err

    services = [open_service(key, on=server) for server in servers]
    for service in services:
        assert service.revocations()["sessions"] == []
        assert service.introspect("x").json() == {"active": False}

    revoked = run("revoke", id_of(key), "--json").json()
    assert (revoked["id"], revoked["name"], revoked["revoked_at"] is not None) == (id_of(key), "the shop", True)
    for service in services:
        eventually(
            lambda service=service: service.request("GET", "/revocations").status_code == 401,
            "it is refused",
            within=REVOKED_EVERYWHERE_SECONDS,
        )
        assert refused(service.request("GET", "/revocations"))[1] == "INVALID_API_KEY"
        assert service.introspect("x").json()["error"] == "invalid_client"


def test_what_is_stored_and_what_is_audited(run: Run, own_sql: Sql) -> None:
    """The database has nothing that opens anything, and each change has one row without an actor."""
    made = run("create", "the shop", "--scope", "tokens:introspect", "--json").json()
    key, key_id = made["key"], made["id"]
    assert id_of(key) == key_id
    dump = str(own_sql.execute("SELECT * FROM api_keys").fetchall()) + str(audit_rows(own_sql))
    assert key_id in dump
    assert key[16:59] not in dump
    for _ in range(2):
        assert run("revoke", key_id).code == 0
    rows = audit_rows(own_sql)
    assert [row["action"] for row in rows] == ["CREATE_API_KEY", "REVOKE_API_KEY"]
    assert {(row["actor_id"], row["entity_type"], row["entity_id"]) for row in rows} == {(None, "api_keys", None)}
    assert [row["metadata"] for row in rows] == [{"id": key_id, "scopes": ["tokens:introspect"]}, {"id": key_id}]


def test_the_list_has_no_secrets(run: Run) -> None:
    """Newest first, also those that are expired or revoked."""
    first = run("create", "the shop", "--scope", "tokens:introspect", "--json").json()
    second = run(
        "create", "reports", "--scope", "revocations:read", "--scope", "tokens:introspect", "--no-expiry", "--json"
    ).json()
    run("revoke", first["id"])
    listed = run("list", "--json").json()
    assert [key["id"] for key in listed] == [second["id"], first["id"]]
    assert listed[0] == {name: value for name, value in second.items() if name != "key"}
    assert listed[0].keys() == {
        *("id", "name", "scopes", "created_by", "created_at", "expires_at", "last_used_at", "revoked_at")
    }
    assert (listed[0]["scopes"], listed[0]["expires_at"]) == (["revocations:read", "tokens:introspect"], None)
    assert listed[1]["revoked_at"] is not None
    table = run("list").out
    assert table.splitlines()[0].split()[:3] == ["id", "name", "scopes"]
    assert "revocations:read tokens:introspect" in table
    assert first["key"][16:59] not in table + str(listed)


@pytest.mark.parametrize(("arguments", "days"), [((), 365), (("--expires-in-days", "1"), 1), (("--no-expiry",), None)])
def test_when_a_key_expires(run: Run, own_sql: psycopg.Connection[Any], arguments: tuple[str, ...], days: Any) -> None:
    made = run("create", "the shop", "--scope", "tokens:introspect", *arguments)
    assert made.code == 0, made
    row = own_sql.execute("SELECT expires_at, created_at FROM api_keys").fetchone()
    assert row is not None
    assert (row["expires_at"] and (row["expires_at"] - row["created_at"]).days) == days


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("", "--scope", "tokens:introspect"), "NAME must be 1 to 100 characters long"),
        (("x" * 101, "--scope", "tokens:introspect"), "NAME must be 1 to 100 characters long"),
        (("the shop", "--scope", "users:everything"), "users:everything is no scope; the scopes are"),
        (("the shop", "--scope", "tokens:introspect", "--scope", "x"), "revocations:read"),
    ],
)
def test_what_is_refused(run: Run, own_sql: Sql, arguments: tuple[str, ...], said: str) -> None:
    assert said in run("create", *arguments).refusal()
    assert own_sql.execute("SELECT count(*) AS n FROM api_keys").fetchone() == {"n": 0}
    assert audit_rows(own_sql) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "the shop"),
        ("create", "--scope", "tokens:introspect"),
        ("create", "the shop", "--scope", "tokens:introspect", "--expires-in-days", "0"),
        ("create", "the shop", "--scope", "tokens:introspect", "--expires-in-days", "3651"),
    ],
)
def test_what_the_command_line_does_not_take(run: Run, own_sql: Sql, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).code == 2
    assert own_sql.execute("SELECT count(*) AS n FROM api_keys").fetchone() == {"n": 0}


def test_an_unknown_key_cannot_be_revoked(run: Run, own_sql: Sql) -> None:
    assert "there is no API key with the id nothing" in run("revoke", "nothing").refusal()
    assert audit_rows(own_sql) == []


def test_doctor_names_keys_that_expire_soon(run: Run, database: str, tmp_path: Path) -> None:
    """Their servers would be refused from then on. A revoked one does not matter."""
    doctor = partial(latchkey, "doctor", "--json", directory=tmp_path, dsn=database)

    def finding() -> dict[str, Any]:
        result = doctor()
        (found,) = [each for each in _json(result)["findings"] if each["check"] == "API keys"]
        return dict(found)

    assert finding()["level"] == "ok"
    arguments = ("create", "the shop", "--scope", "tokens:introspect", "--json", "--expires-in-days")
    late, soon = run(*arguments, "15").json(), run(*arguments, "13").json()
    warned = finding()
    assert warned["level"] == "warning"
    assert soon["id"] in warned["message"]
    assert soon["expires_at"] in warned["message"]
    assert late["id"] not in warned["message"]
    run("revoke", soon["id"])
    assert finding()["level"] == "ok"


def _json(result: Result) -> Any:
    # Other findings of the test's settings may be problems: then it exits with 1.
    return Result(0, result.out, result.err).json()
