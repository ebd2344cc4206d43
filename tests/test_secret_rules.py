"""JWT_…_SECRET_ACCEPTED: at most two, by the rules of the secrets, and none twice."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from latchkey.app import Settings
from latchkey.settings import SettingsError, load_settings

ONE, TWO, THREE, FOUR = (f"{name}-secret-of-more-than-thirty-two-bytes" for name in ("one", "two", "three", "four"))
SAME_TWICE = "JWT_REFRESH_SECRET_ACCEPTED: holds a secret twice"
Load = Callable[[dict[str, str]], Settings]
pytestmark = pytest.mark.usefixtures("nothing_set")


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Reads settings with these secrets, or others, from `.env` in the current directory."""

    def load_all(given: dict[str, str]) -> Settings:
        environment = {"JWT_ACCESS_SECRET": ONE, "JWT_REFRESH_SECRET": TWO} | given
        lines = [f'{name}="{value}"\n' for name, value in environment.items()]
        (tmp_path / ".env").write_text("".join(lines), newline="")
        return load_settings(Settings)

    return load_all


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("", ()),
        (THREE, (THREE,)),
        (f"{THREE},{FOUR}", (THREE, FOUR)),
        (f" {THREE} , {FOUR},\n", (THREE, FOUR)),
        (f"{THREE}\r\n", (THREE,)),
    ],
)
def test_secrets_are_split_at_commas(load: Load, text: str, secrets: tuple[str, ...]) -> None:
    settings = load({"JWT_ACCESS_SECRET_ACCEPTED": text})
    assert settings.jwt_access_secret_accepted == tuple(map(SecretStr, secrets))
    assert settings.jwt_refresh_secret_accepted == ()
    assert not any(secret in repr(settings) for secret in (ONE, TWO, *secrets))


@pytest.mark.parametrize(
    ("environment", "problems"),
    [
        (
            {"JWT_ACCESS_SECRET_ACCEPTED": f"{THREE},hunter2"},
            ["JWT_ACCESS_SECRET_ACCEPTED: secret 2 (commas separate them) needs at least 32 bytes; make one with:"],
        ),
        (
            {"JWT_REFRESH_SECRET_ACCEPTED": "your_long_random_string_hunter2_hunter2"},
            ["JWT_REFRESH_SECRET_ACCEPTED: secret 1 (commas separate them) is a sample value"],
        ),
        (
            {"JWT_ACCESS_SECRET_ACCEPTED": ",".join(f"hunter2{each}" for each in (THREE, FOUR, TWO))},
            ["JWT_ACCESS_SECRET_ACCEPTED: holds 3 secrets (commas separate them), and at most 2 are accepted"],
        ),
        ({"JWT_ACCESS_SECRET_ACCEPTED": ONE}, ["JWT_ACCESS_SECRET and JWT_ACCESS_SECRET_ACCEPTED must differ"]),
        ({"JWT_ACCESS_SECRET_ACCEPTED": TWO}, ["JWT_REFRESH_SECRET and JWT_ACCESS_SECRET_ACCEPTED must differ"]),
        ({"JWT_REFRESH_SECRET_ACCEPTED": ONE}, ["JWT_ACCESS_SECRET and JWT_REFRESH_SECRET_ACCEPTED must differ"]),
        ({"JWT_REFRESH_SECRET_ACCEPTED": f"{THREE}, {THREE}"}, [SAME_TWICE]),
        (
            {"JWT_ACCESS_SECRET_ACCEPTED": f"{FOUR},{THREE}", "JWT_REFRESH_SECRET_ACCEPTED": f"{THREE}\n"},
            ["JWT_ACCESS_SECRET_ACCEPTED and JWT_REFRESH_SECRET_ACCEPTED must differ"],
        ),
        ({"JWT_REFRESH_SECRET": f"{ONE}\n"}, ["JWT_ACCESS_SECRET and JWT_REFRESH_SECRET must differ"]),
    ],
)
def test_what_is_wrong_is_said_without_the_secret(load: Load, environment: dict[str, str], problems: list[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        load(environment)
    found = refused.value.problems
    assert len(found) == len(problems)
    assert all(line.startswith(problem) for line, problem in zip(found, problems, strict=True)), found
    assert not any(secret in str(refused.value) for secret in (ONE, TWO, THREE, FOUR, "hunter2"))
