"""Keycloak: the users of a realm's export, in JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from latchkey.features.imports.readers.fields import (
    DISABLED,
    NO_ADDRESS,
    joined,
    name_or_local_part,
    object_or_none,
    time_of_milliseconds,
)
from latchkey.features.imports.readers.lines import BOM, bad, parse_json
from latchkey.features.imports.record import FileRefused, Record

ARGON2_VERSIONS = {"1.3": 19, "1.0": 16}


def read_keycloak(file: BinaryIO, _: Path) -> Iterator[Record]:
    """Yields the accounts of a realm, or of a file with users of one. Raises FileRefused if it is neither."""
    try:
        realm = json.loads(file.read().removeprefix(BOM))
    except (ValueError, RecursionError):
        raise FileRefused("the file is not JSON, or is not whole") from None
    users = realm.get("users") if isinstance(realm, dict) else None
    if not isinstance(users, list):
        raise FileRefused("the file has no users: export the realm with --users realm_file or same_file")
    for number, user in enumerate(users, start=1):
        yield _record(number, user) if isinstance(user, dict) else bad(number, "is not a JSON object")


def _record(number: int, user: dict[str, Any]) -> Record:
    source_id, email = user.get("id"), user.get("email")
    if user.get("serviceAccountClientId"):
        return Record(number, {}, source_id, skipped="is a client's service account: not imported")
    if user.get("enabled") is False:
        return Record(number, {}, source_id, skipped=DISABLED)
    if not email:
        return Record(number, {}, source_id, skipped=NO_ADDRESS)
    return Record(
        number,
        {
            "email": email,
            "name": name_or_local_part(
                email, joined(user.get("firstName"), user.get("lastName")), user.get("username")
            ),
            "password_hash": _password_hash(user),
            "verified": user.get("emailVerified"),
            "created_at": time_of_milliseconds(user.get("createdTimestamp")),
            "private": object_or_none(user.get("attributes")),
        },
        source_id,
    )


def _password_hash(user: dict[str, Any]) -> str | None:
    """Returns the hash in PHC form, or None without a password. What is no such hash is refused by its rule."""
    credentials = user.get("credentials")
    for credential in credentials if isinstance(credentials, list) else ():
        if isinstance(credential, dict) and credential.get("type") == "password":
            kept, data = _parsed(credential, "secretData"), _parsed(credential, "credentialData")
            return _phc(kept, data)
    return None


def _phc(kept: dict[str, Any], data: dict[str, Any]) -> str:
    algorithm, iterations = str(data.get("algorithm")), data.get("hashIterations")
    salt, digest = (str(kept.get(name)).rstrip("=") for name in ("salt", "value"))
    if algorithm in {"pbkdf2-sha256", "pbkdf2-sha512"}:
        return f"${algorithm}$i={iterations}${salt}${digest}"
    if algorithm == "argon2":
        more = object_or_none(data.get("additionalParameters")) or {}
        kind, version, memory, lanes = (_first(more.get(name)) for name in ("type", "version", "memory", "parallelism"))
        number = ARGON2_VERSIONS.get(str(version), 0)
        return f"$argon2{kind}$v={number}$m={memory},t={iterations},p={lanes}${salt}${digest}"
    # Nothing that could be verified: the account is reported by its line.
    return algorithm


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else None


def _parsed(credential: dict[str, Any], name: str) -> dict[str, Any]:
    return object_or_none(parse_json(str(credential.get(name)))) or {}
