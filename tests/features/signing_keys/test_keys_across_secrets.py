"""`latchkey keys` and `latchkey doctor` while an operator rotates JWT_REFRESH_SECRET."""

from pathlib import Path

import pytest

from latchkey.sealing import Sealer
from tests.kit.command_line import Result, latchkey
from tests.kit.key_rows import add_key, key_rows
from tests.kit.rotating import ADDED, AFTER, BEFORE, NEW, OLD, SECRETS, SWAPPED
from tests.kit.stored import Sql

PRODUCTION = {"ENVIRONMENT": "production", "PUBLIC_URL": "https://accounts.example.com"}
KEYS, ROTATION = "signing keys", "rotation of secrets"


def findings(directory: Path, dsn: str, **settings: str) -> dict[str, tuple[str, str]]:
    """Returns level and message of what the doctor finds, by check; no secret is in it."""
    result = latchkey("doctor", "--json", directory=directory, dsn=dsn, **PRODUCTION | settings)
    assert not any(secret in result.out + result.err for secret in SECRETS)
    return {each["check"]: (each["level"], each["message"]) for each in result.json()["findings"]}


@pytest.mark.parametrize(
    ("settings", "is_stale"), [(BEFORE, False), (ADDED, False), (SWAPPED, True)], ids=["before", "added", "swapped"]
)
def test_doctor_names_keys_that_an_accepted_secret_has_sealed(
    database: str, tmp_path: Path, own_sql: Sql, settings: dict[str, str], is_stale: bool
) -> None:
    """Without that secret, no instance would start. The next start seals them with the current one."""
    kid = add_key(own_sql, signs_in=-60, secret=OLD.current)
    level, message = findings(tmp_path, database, **settings)[KEYS]
    assert kid in message
    assert level == ("warning" if is_stale else "ok")
    assert ("JWT_REFRESH_SECRET_ACCEPTED" in message) == is_stale


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (AFTER, "none under way"),
        (SWAPPED, "JWT_ACCESS_SECRET_ACCEPTED holds 1, JWT_REFRESH_SECRET_ACCEPTED holds 1; remove old ones 31 days"),
        (SWAPPED | {"NATIVE_REFRESH_DAYS": "90"}, "remove old ones 91 days"),
        (SWAPPED | {"NATIVE_REFRESH_DAYS": "1", "REFRESH_TOKEN_HOURS": "49"}, "remove old ones 4 days"),
        (AFTER | {"JWT_REFRESH_SECRET_ACCEPTED": OLD.current}, "JWT_REFRESH_SECRET_ACCEPTED holds 1; remove"),
    ],
)
def test_doctor_says_what_is_accepted_and_for_how_long(
    database: str, tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    """It cannot know since when, so it never warns."""
    level, message = findings(tmp_path, database, **settings)[ROTATION]
    assert level == "ok"
    assert said in message


def test_commands_make_keys_beside_those_of_an_accepted_secret(database: str, tmp_path: Path, own_sql: Sql) -> None:
    """A new key is sealed with the current secret. Without the accepted one, the command makes none."""

    def rotate(settings: dict[str, str]) -> Result:
        return latchkey("keys", "rotate", directory=tmp_path, dsn=database, **PRODUCTION | settings)

    add_key(own_sql, signs_in=-60, secret=OLD.current)
    assert "cannot open signing key" in rotate(AFTER).refusal()
    assert rotate(SWAPPED).code == 0
    old, new = (row["private_sealed"] for row in key_rows(own_sql))
    assert Sealer(OLD.current).is_current(old)
    assert Sealer(NEW.current).is_current(new)
