"""Secrets of a developer's machine, made once and kept in DATA_DIR with mode 0600: a restart ends no session."""

import json
import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from latchkey.keys import Secret
from latchkey.secret_rules import secret_problem
from latchkey.settings import ServiceSettings

FILE = "secrets.json"
SECRET_BYTES = 32
NAMES = ("jwt_access_secret", "jwt_refresh_secret")


class SecretsUnreadable(Exception):
    """The file of secrets has unexpected content."""


def kept_secrets(data_dir: Path) -> dict[str, str]:
    """Returns both secrets by the names of their settings.

    The first call makes them. Raises SecretsUnreadable, OSError.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / FILE
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    made = {name: secrets.token_hex(SECRET_BYTES) for name in NAMES}
    # Linked into place whole: two processes that start at once end up with the same file.
    draft = data_dir / f".{FILE}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(made, file)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return _read(path)


def refresh_secret(settings: ServiceSettings) -> Secret | None:
    """Returns JWT_REFRESH_SECRET, or the one that `latchkey dev` keeps here, with the accepted ones; None without
    either.

    Raises SecretsUnreadable, OSError.
    """
    current = settings.jwt_refresh_secret
    if current is None:
        try:
            current = SecretStr(_read(settings.data_dir / FILE)["jwt_refresh_secret"])
        except FileNotFoundError:
            return None
    return Secret.reveal(current, settings.jwt_refresh_secret_accepted)


def _read(path: Path) -> dict[str, str]:
    text = path.read_text(encoding="utf-8")
    try:
        kept = json.loads(text)
        chosen = {name: str(kept[name]) for name in NAMES}
    except (ValueError, KeyError, TypeError):
        raise SecretsUnreadable(f"{path} does not hold the two secrets: remove it, and new ones are made") from None
    if any(secret_problem(secret) for secret in chosen.values()):
        raise SecretsUnreadable(f"{path} holds a secret that is too short: remove it, and new ones are made")
    return chosen
