"""Each source's file: what becomes of its accounts, and that they sign in with their passwords.

The files of Django, of Supabase's and node-api-postgres's tables, and of PocketBase were written by the real programs
(Django 5.2, pg_dump 18, PocketBase 0.30). Those of Auth0 and Keycloak were written after their documentation.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.kit.browser import PASSWORD, Browser
from tests.kit.import_files import Run, entries
from tests.kit.server import Server
from tests.kit.stored import Sql

SAMPLES = Path(__file__).parent / "samples"
LONG = "correct horse battery staple " * 4
DISABLED, DELETED = "is disabled there: not imported", "is deleted there: not imported"
NO_ADDRESS = "has no address: not imported"


@dataclass(frozen=True)
class Source:
    """`names` are those of the imported accounts, by the local part of their address. `passwords` are of those that
    sign in. `reported` is what the report says of the others, by line."""

    name: str
    file: str
    names: dict[str, str]
    passwords: dict[str, str]
    reported: dict[int, str]
    verified: frozenset[str] = frozenset()
    ids: dict[str, int | str] = field(default_factory=dict)
    metadata: dict[str, tuple[Any, Any]] = field(default_factory=dict)


DJANGO: dict[str, Any] = {
    "names": {"ann": "Ann Lee", "ben": "Ben", "cleo": "cleo", "dan": "Dan", "eve": "eve", "gus": "gus"},
    "passwords": {"ann": PASSWORD, "ben": PASSWORD, "cleo": PASSWORD, "dan": LONG, "eve": PASSWORD},
    "ids": {"ann": 1, "ben": 2, "cleo": 3, "dan": 4, "eve": 5, "gus": 7},
}
MD5 = "is of MD5 or SHA, which can be guessed too fast: import the account without it"
OWNER = {"full_name": "Ann O'Leary", "note": "tab\there and a back\\slash"}
SUPABASE: dict[str, Any] = {
    "names": {"ann": "Ann O'Leary", "ben": "Ben (of Google), first", "fay": "fay"},
    "passwords": {"ann": PASSWORD, "fay": PASSWORD},
    "verified": frozenset({"ann", "fay"}),
    "ids": {name: f"6f9619ff-8b86-4d01-b42d-00cf4fc964f{n}" for name, n in (("ann", 1), ("ben", 2), ("fay", 6))},
    "metadata": {"ann": (OWNER, {}), "ben": ({"name": "Ben (of Google), first"}, {})},
}
NODE: dict[str, Any] = {
    "names": {"ann": "Ann, the first", "ben": "Ben"},
    "passwords": {"ann": PASSWORD, "ben": LONG},
    "ids": {"ann": 3, "ben": 7},
}
SOURCES = [
    Source("django", "django.json", **DJANGO, reported={6: MD5, 8: DISABLED, 9: NO_ADDRESS}),
    Source("django", "django.csv", **DJANGO, reported={7: MD5, 9: DISABLED, 10: NO_ADDRESS}),
    Source("supabase", "supabase-copy.sql", **SUPABASE, reported={29: DISABLED, 30: DELETED, 31: NO_ADDRESS}),
    Source("supabase", "supabase-inserts.sql", **SUPABASE, reported={30: DISABLED, 31: DELETED, 33: NO_ADDRESS}),
    Source("node-api-postgres", "node-api-postgres.csv", **NODE, reported={4: DELETED}),
    Source("node-api-postgres", "node-api-postgres.sql", **NODE, reported={29: DELETED}),
    Source(
        "auth0",
        "auth0.ndjson",
        names={"ann": "ann", "ben": "Ben Roe"},
        passwords={"ann": PASSWORD},
        reported={3: DISABLED, 4: NO_ADDRESS},
        verified=frozenset({"ann"}),
        ids={"ann": "auth0|60425dc43519d90068f82973", "ben": "auth0|60425dc43519d90068f82974"},
        metadata={"ben": ({"theme": "dark"}, {"plan": "pro"})},
    ),
    Source(
        "keycloak",
        "keycloak.json",
        names={"ann": "Ann Lee", "ben": "ben", "cleo": "cleo", "fay": "fay"},
        passwords={"ann": PASSWORD, "ben": PASSWORD, "cleo": PASSWORD},
        reported={
            4: "is of no known form: bcrypt, Argon2, scrypt and PBKDF2 are accepted",
            5: DISABLED,
            6: "is a client's service account: not imported",
        },
        verified=frozenset({"ann"}),
        metadata={"ann": ({}, {"plan": ["pro"]})},
    ),
    Source(
        "pocketbase",
        "pocketbase.db.gz",
        names={"ann": "Ann", "ben": "Ben"},
        passwords={"ann": PASSWORD, "ben": PASSWORD},
        reported={},
        verified=frozenset({"ann"}),
        ids={"ann": "jh72i6xn1jaimbz", "ben": "4cacx8runorrrhs"},
    ),
]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.file)
def test_accounts_move_in_and_sign_in(
    source: Source,
    run: Run,
    start: Callable[..., Server],
    open_browser: Callable[..., Browser],
    own_sql: Sql,
    tmp_path: Path,
) -> None:
    file, report = SAMPLES / source.file, tmp_path / "report.ndjson"
    if file.suffix == ".gz":
        packed, file = file, tmp_path / file.stem
        file.write_bytes(gzip.decompress(packed.read_bytes()))
    done = run("import", "--from", source.name, str(file), "--report", str(report), "--json").json()
    assert done["imported"] == len(source.names)
    assert done["skipped"] + done["refused"] == len(source.reported)
    users = {row["email"].partition("@")[0]: row for row in own_sql.execute("SELECT * FROM users").fetchall()}
    assert {local: row["name"] for local, row in users.items()} == source.names
    assert {local for local, row in users.items() if row["email_verified_at"]} == source.verified
    assert all(row["role"] == "user" for row in users.values())
    reported = entries(report)
    assert {entry["line"]: entry["message"] for entry in reported if "message" in entry} == source.reported
    new_ids = {entry["id"]: entry.get("source_id") for entry in reported if "id" in entry}
    assert new_ids.keys() == {row["id"] for row in users.values()}
    assert {local: new_ids[users[local]["id"]] for local in source.ids} == source.ids
    metadata = {row["user_id"]: row for row in own_sql.execute("SELECT * FROM user_metadata").fetchall()}
    assert {
        local: (row["owner"], row["private"]) for local in users if (row := metadata.get(users[local]["id"]))
    } == source.metadata

    browser = open_browser(start())
    for local, password in source.passwords.items():
        before = users[local]["password"]
        assert browser.login(f"{local}@example.com", "Wrong-password1").status_code == 401
        assert browser.login(f"{local}@example.com", password).status_code == 200
        after = own_sql.execute("SELECT password FROM users WHERE id = %s", [users[local]["id"]]).fetchone()
        assert after is not None
        if len(password.encode()) > 72:
            assert after["password"] == before
        else:
            assert after["password"].startswith("$2b$04$")
        assert browser.login(f"{local}@example.com", password).status_code == 200


@pytest.mark.parametrize(
    ("source", "content", "refusal"),
    [
        ("supabase", "CREATE TABLE auth.users ();\n", "no data of the table auth.users"),
        ("supabase", "COPY auth.users (id, email) FROM stdin;\n1\ta@example.com\n", "is not whole"),
        (
            "supabase",
            "INSERT INTO auth.users (id, email) VALUES (1, 'a@example.com'), (2, 'b@example.com');\n",
            "line 1 holds several accounts",
        ),
        ("django", '[{"model": "auth.group", "pk": 1, "fields": {"name": "x"}}]', "dumpdata auth.user"),
        ("django", "name,email\nAnn,a@example.com\n", "id, password is missing"),
        ("keycloak", '{"realm": "shop"}', "has no users"),
        ("keycloak", "no JSON", "not JSON"),
        ("pocketbase", "no database", "not a whole SQLite database"),
        ("node-api-postgres", "name,email\n", "no data of the table"),
        (None, "name\nAnn\n", "email is missing"),
        (None, "name,email,role\nAnn,ann@example.com,admin\n", "'role' is no column"),
    ],
)
def test_another_file_is_refused_and_blocks_nothing(
    run: Run, own_sql: Sql, tmp_path: Path, source: str | None, content: str, refusal: str
) -> None:
    file = tmp_path / "file"
    file.write_text(content)
    options = ["--from", source] if source else []
    assert refusal in run("import", str(file), *options).refusal()
    assert own_sql.execute("SELECT 1 FROM imports").rowcount == 0


def test_pocketbase_has_to_be_stopped(run: Run, own_sql: Sql, tmp_path: Path) -> None:
    """What its log of changes holds is not in the database yet."""
    file = tmp_path / "data.db"
    file.write_bytes(gzip.decompress((SAMPLES / "pocketbase.db.gz").read_bytes()))
    (tmp_path / "data.db-wal").write_bytes(b"changes")
    assert "stop PocketBase" in run("import", "--from", "pocketbase", str(file)).refusal()
    assert own_sql.execute("SELECT 1 FROM users").rowcount == 0
