"""What a secret must be, and how the settings give several."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

MINIMUM_BYTES = 32
SAMPLES = re.compile(r"your[-_]long[-_]random|change[-_]?me|replace[-_]?me|example[-_]secret", re.IGNORECASE)
ACCEPTED_MAX = 2
"""How many secrets may be accepted besides a current one: one that is rotated out, and one that is rotated in."""


def secret_problem(secret: str) -> str | None:
    """Returns what is wrong with a secret, or None. RFC 7518 section 3.2: HS256 needs 32 bytes or more."""
    if SAMPLES.search(secret):
        return "is a sample value; make one with: openssl rand -hex 32"
    if len(secret.encode()) < MINIMUM_BYTES:
        return f"needs at least {MINIMUM_BYTES} bytes; make one with: openssl rand -hex 32"
    return None


def split_commas(value: Any) -> Any:
    """Splits the text of a setting at its commas, without white space around the parts. Any other value stays."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _checked(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if len(secrets) > ACCEPTED_MAX:
        raise ValueError(
            f"holds {len(secrets)} secrets (commas separate them), and at most {ACCEPTED_MAX} are accepted"
        )
    for number, secret in enumerate(secrets, 1):
        if problem := secret_problem(secret.get_secret_value()):
            raise ValueError(f"secret {number} (commas separate them) {problem}")
    return secrets


SplitSecrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(split_commas)]
"""Secrets, comma-separated."""

AcceptedSecrets = Annotated[SplitSecrets, AfterValidator(_checked)]
"""Secrets that are accepted besides a current one, comma-separated."""


def equal_secrets(settings: Mapping[str, Sequence[SecretStr]]) -> list[str]:
    """Says which settings, by name, hold the same secret.

    Each kind has its own. A current secret that is accepted, too, is probably a mistake: another one is missing.
    """
    holders: dict[str, list[str]] = {}
    for name, secrets in settings.items():
        for secret in secrets:
            holders.setdefault(secret.get_secret_value().rstrip("\r\n"), []).append(name)
    return [_must_differ(names) for names in holders.values() if len(names) > 1]


def _must_differ(names: list[str]) -> str:
    different = dict.fromkeys(names)
    return f"{' and '.join(different)} must differ" if len(different) > 1 else f"{names[0]}: holds a secret twice"
