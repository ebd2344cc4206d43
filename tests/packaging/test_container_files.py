"""Dockerfile and compose.yaml, as far as files can be judged without an engine."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package apart

from latchkey.app import Settings
from latchkey.settings import load_settings
from tests.kit.dockerfile import read_dockerfile

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
STAGES = read_dockerfile(ROOT / "Dockerfile")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SECRETS = ("POSTGRES_PASSWORD", "JWT_ACCESS_SECRET", "JWT_REFRESH_SECRET")


def test_the_dockerfile_has_no_lint() -> None:
    linter = TOOLS / "hadolint"
    if not linter.exists():
        pytest.skip("hadolint has no build for this system")
    done = subprocess.run([str(linter), "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_compose_keeps_to_its_schema() -> None:
    command = [str(TOOLS / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_engine_is_given_what_is_copied_and_nothing_else() -> None:
    copied = {
        source
        for stage in STAGES
        for word, words in stage.steps
        if word == "COPY" and not words.startswith("--from=")
        for source in words.split()[:-1]
    }
    given = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in given
    assert {line.removeprefix("!") for line in given if line.startswith("!")} == copied


def test_the_image_has_one_user_who_is_not_root() -> None:
    assert re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", STAGES[-1].user)


def test_compose_names_settings_and_nothing_else() -> None:
    known = {name.upper() for name in Settings.model_fields}
    for service in ("migrate", "latchkey"):
        assert set(COMPOSE["services"][service]["environment"]) <= known
    assert set(STAGES[-1].environment) & known == {"HOST", "PORT"}


def test_compose_serves_after_the_migration_and_may_write_nothing() -> None:
    services = COMPOSE["services"]
    assert services["migrate"]["command"] == ["migrate"]
    assert services["latchkey"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["latchkey"]["ports"][0].endswith(f":{services['latchkey']['environment']['PORT']}")
    for service in (services["migrate"], services["latchkey"]):
        assert service["read_only"] is True
        assert "volumes" not in service


def test_the_secrets_that_compose_tells_to_make_are_accepted(tmp_path: Path, require: Callable[[str], str]) -> None:
    require("openssl")
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    written = re.search(r"#   (\(umask.*\n#.*> \.env\))\n", text)
    assert written, "compose.yaml begins with the command that makes .env"
    subprocess.run([require("sh"), "-euc", re.sub(r"\n#", "\n", written[1])], cwd=tmp_path, check=True)
    file = tmp_path / ".env"
    assert file.stat().st_mode & 0o777 == 0o600
    made = dict(line.split("=", 1) for line in file.read_text(encoding="utf-8").splitlines())
    assert tuple(made) == SECRETS

    environment = COMPOSE["services"]["latchkey"]["environment"]
    given = made | {name: fill_in(value, made) for name, value in environment.items()}
    settings = load_settings(
        Settings, required=True, **{name.lower(): value for name, value in given.items() if name != "POSTGRES_PASSWORD"}
    )
    assert settings.database_url
    assert made["POSTGRES_PASSWORD"] in settings.database_url.get_secret_value()


def fill_in(value: str, variables: dict[str, str]) -> str:
    """Puts variables into a value, as Compose does."""
    return re.sub(r"\$\{(\w+)(:[?-][^}]*)?\}", lambda found: variables[found[1]], value)
