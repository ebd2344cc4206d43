"""Latchkey's public keys: fetched when they are needed, and kept while fetching fails."""

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwa import JWS_ALGORITHMS, JWSAlgModel
from joserfc.jwk import ECKey, OKPKey

from latchkey_client.errors import Unavailable
from latchkey_client.fetching import FetchFailed

FETCH_SECONDS = 5.0
FETCH_MAX_BYTES = 64 * 1024
FRESH_SECONDS = 600.0
KEPT_SECONDS = 86_400.0
RETRY_SECONDS = 30.0
RETRY_WITHOUT_KEYS_SECONDS = 1.0

# What Latchkey signs with, and its larger curves. No symmetric algorithm: a public key is no secret (RFC 8725, 2.1).
_KEY_TYPES: dict[str, type[ECKey] | type[OKPKey]] = {
    "ES256": ECKey,
    "ES384": ECKey,
    "ES512": ECKey,
    "EdDSA": OKPKey,
    "Ed25519": OKPKey,
}
_ALGORITHMS = {algorithm.name: algorithm for algorithm in JWS_ALGORITHMS if algorithm.name in _KEY_TYPES}

_log = logging.getLogger("latchkey_client")


@dataclass(frozen=True, slots=True, eq=False)
class VerifyingKey:
    """A public key and the one algorithm that it is used with."""

    jwk: dict[str, Any]
    algorithm: JWSAlgModel
    key: ECKey | OKPKey

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Tells whether the signature is this key's."""
        try:
            return self.algorithm.verify(signed, signature, self.key)
        except (JoseError, ValueError):
            return False


class KeySet:
    """The keys of a JWKS by their `kid`.

    They are fresh for 10 minutes. After that, and for an unknown `kid`, they are fetched again, by one thread at a time
    and at most once in 30 seconds. While fetching fails, the keys hold for 24 hours.
    """

    def __init__(self, fetch: Callable[[], bytes], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = Lock()
        self._fetching: Future[None] | None = None
        self._keys: dict[str, VerifyingKey] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._is_failing = False

    def fetch_for(self, kid: str) -> Future[None] | None:
        """Starts a fetch if it is due. Returns the fetch that a token with this `kid` has to wait for, or None."""
        known = kid in self._keys
        if known and self._age() < FRESH_SECONDS:
            return None
        with self._lock:
            waited = self._clock() - self._tried_at
            if self._fetching is None and waited >= (RETRY_SECONDS if self._usable() else RETRY_WITHOUT_KEYS_SECONDS):
                # Called with the lock held, so it ends after it is stored here.
                thread = Thread(
                    target=self._refresh, args=(future := Future[None](),), name="latchkey keys", daemon=True
                )
                thread.start()
                self._fetching, self._tried_at, waited = future, self._clock(), 0.0
            # With keys at hand, nobody waits for a server that did not answer the last time. Otherwise tokens of
            # unknown keys could keep all threads of an app waiting.
            gives_up = waited > FETCH_SECONDS or (self._is_failing and self._usable())
            return None if gives_up else self._fetching

    def find(self, kid: str) -> VerifyingKey | None:
        """Returns the key, or None if no key has this `kid`. Raises Unavailable if no keys are known."""
        if not self._usable():
            raise Unavailable("no keys of Latchkey are known")
        return self._keys.get(kid)

    def after_fork(self) -> None:
        """Forgets what another thread was doing: it does not exist in a forked process."""
        self._lock = Lock()
        self._fetching = None

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    def _usable(self) -> bool:
        return bool(self._keys) and self._age() < KEPT_SECONDS

    def _refresh(self, future: Future[None]) -> None:
        keys: dict[str, VerifyingKey] | None = None
        try:
            keys = read_jwks(self._fetch(), self._keys)
            if not keys:
                _log.error("Latchkey has no signing keys: run `latchkey keys init`. Until then every token gets 503")
        except FetchFailed as failure:
            _log.warning("Cannot fetch the keys of Latchkey: %s", failure)
        finally:
            with self._lock:
                self._is_failing = keys is None
                if keys is not None:
                    self._keys, self._fetched_at = keys, self._clock()
                self._fetching = None
            future.set_result(None)


def read_jwks(document: bytes, known: dict[str, VerifyingKey]) -> dict[str, VerifyingKey]:
    """Returns the usable keys of a JWKS by `kid`. Takes unchanged ones from `known`. Raises FetchFailed."""
    try:
        jwks = json.loads(document)
    except (ValueError, RecursionError):
        raise FetchFailed("the answer is not JSON") from None
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(listed, list):
        raise FetchFailed("the answer is not a JWKS")
    keys: dict[str, VerifyingKey] = {}
    for jwk in listed:
        key = _read_key(jwk, known)
        if key is None:
            _log.warning("Skipped a key of the JWKS that is not a public signing key of a known algorithm")
        else:
            keys.setdefault(key.jwk["kid"], key)
    return keys


def _read_key(jwk: object, known: dict[str, VerifyingKey]) -> VerifyingKey | None:
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str) or not isinstance(jwk.get("alg"), str):
        return None
    if (same := known.get(jwk["kid"])) and same.jwk == jwk:
        return same
    algorithm = _ALGORITHMS.get(jwk["alg"])
    if algorithm is None or jwk.get("use", "sig") != "sig" or "d" in jwk:
        return None
    key_type = _KEY_TYPES[algorithm.name]
    if jwk.get("kty") != key_type.key_type or (key_type is OKPKey and jwk.get("crv") != "Ed25519"):
        return None
    try:
        key = key_type.import_key({name: value for name, value in jwk.items() if name in {"kty", "crv", "x", "y"}})
        algorithm.check_key(key)
    # Hostile values make joserfc and cryptography raise almost anything.
    except Exception:  # noqa: BLE001
        return None
    return VerifyingKey(jwk, algorithm, key)
