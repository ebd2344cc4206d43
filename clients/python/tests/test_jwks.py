"""When the keys are fetched, how long they hold, and what a JWKS may be."""

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from latchkey_client import InvalidToken, Latchkey, Unavailable
from latchkey_client.fetching import fetch
from latchkey_client.genuine import REMEMBERED_MAX, GenuineTokens
from latchkey_client.keys import FETCH_MAX_BYTES, KeySet, VerifyingKey, read_jwks
from latchkey_client.tokens import Token

from tests.kit.issuer import Handler, Issuer, send, send_json
from tests.kit.signing import SigningKey, new_key, sign
from tests.kit.waiting import eventually

MINUTE, HOUR = 60.0, 3600.0


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Keys:
    """A KeySet whose clock the test sets. `knows` asks as a token does."""

    def __init__(self, issuer: Issuer) -> None:
        self.clock = Clock()
        url = f"{issuer.url}/.well-known/jwks.json"
        self.key_set = KeySet(lambda: fetch(url, seconds=5, max_bytes=FETCH_MAX_BYTES), self.clock)

    def knows(self, kid: str) -> bool:
        """Tells whether a key is known, after the fetch that this asks for. Raises Unavailable."""
        if pending := self.key_set.fetch_for(kid):
            pending.result(30)
        answer = self.key_set.find(kid) is not None
        self.settle()
        return answer

    def settle(self) -> None:
        """Waits for a fetch that no token waits for: the clock of the test is faster than the network."""
        for thread in threading.enumerate():
            if thread.name == "latchkey keys":
                thread.join(30)


@pytest.fixture
def keys(issuer: Issuer) -> Keys:
    return Keys(issuer)


def test_keys_are_fetched_once_in_ten_minutes(issuer: Issuer, keys: Keys) -> None:
    kid = issuer.keys[0].kid
    for _ in range(10):
        assert keys.knows(kid)
        keys.clock.now += 59
    assert issuer.jwks_requests == 1
    keys.clock.now += 10
    assert keys.knows(kid)
    assert issuer.jwks_requests == 2


def test_nothing_is_fetched_before_the_first_token(issuer: Issuer) -> None:
    Latchkey(issuer.url)
    assert issuer.paths == []


def test_a_new_key_is_found_by_its_kid_and_the_old_one_stays(issuer: Issuer, keys: Keys) -> None:
    old = issuer.keys[0].kid
    assert keys.knows(old)
    issuer.keys.append(new_key())
    keys.clock.now += 30
    assert keys.knows(issuer.keys[1].kid)
    assert keys.knows(old)
    assert issuer.jwks_requests == 2


def test_unknown_kids_cause_one_fetch_in_thirty_seconds_and_evict_nothing(issuer: Issuer, keys: Keys) -> None:
    assert keys.knows(issuer.keys[0].kid)
    for number in range(1_000):
        keys.clock.now += 0.06
        assert not keys.knows(f"unknown-{number}")
    assert issuer.jwks_requests == 3, "the first, and two in the minute since"
    issuer.is_down = True
    for number in range(1_000):
        keys.clock.now += 0.06
        assert not keys.knows(f"unknown-{number}")
    assert issuer.jwks_requests == 5, "failed ones count, too"
    assert keys.knows(issuer.keys[0].kid)


def test_a_retired_key_is_unknown_after_the_next_fetch(issuer: Issuer, keys: Keys) -> None:
    old = issuer.keys[0].kid
    assert keys.knows(old)
    issuer.keys = [new_key()]
    keys.clock.now += 10 * MINUTE
    assert not keys.knows(old)


def test_keys_hold_for_a_day_while_fetching_fails(issuer: Issuer, keys: Keys) -> None:
    kid = issuer.keys[0].kid
    assert keys.knows(kid)
    issuer.is_down = True
    for _ in range(47):
        keys.clock.now += HOUR / 2
        assert keys.knows(kid)
    keys.clock.now += HOUR / 2
    with pytest.raises(Unavailable):
        keys.knows(kid)
    issuer.is_down = False
    keys.clock.now += 1
    assert keys.knows(kid)


def test_a_server_that_fails_is_asked_twice_a_minute(issuer: Issuer, keys: Keys) -> None:
    kid = issuer.keys[0].kid
    assert keys.knows(kid)
    issuer.is_down = True
    keys.clock.now += 10 * MINUTE
    for _ in range(60):
        assert keys.knows(kid)
        keys.clock.now += 1
    assert issuer.jwks_requests == 3


def test_without_any_keys_the_server_is_asked_once_a_second(issuer: Issuer, keys: Keys) -> None:
    issuer.is_down = True
    for _ in range(10):
        with pytest.raises(Unavailable):
            keys.knows("any")
        keys.clock.now += 0.25
    assert issuer.jwks_requests == 3
    issuer.is_down = False
    keys.clock.now += 1
    assert keys.knows(issuer.keys[0].kid)


def test_nobody_waits_for_a_server_that_failed_the_last_time(issuer: Issuer, keys: Keys) -> None:
    kid = issuer.keys[0].kid
    assert keys.knows(kid)
    issuer.is_down = True
    keys.clock.now += 10 * MINUTE
    assert keys.knows(kid)
    # From now on it does not answer at all.
    hangs = Event()
    issuer.is_down, issuer.answer_jwks = False, lambda _: void(hangs.wait(30))
    keys.clock.now += 30
    assert keys.key_set.fetch_for(kid) is None
    assert keys.key_set.fetch_for("other") is None
    assert keys.key_set.find(kid)
    eventually(lambda: issuer.jwks_requests == 3, "it is asked all the same")
    hangs.set()


def test_nobody_waits_longer_than_a_fetch_may_take(issuer: Issuer, keys: Keys) -> None:
    hangs = Event()
    issuer.answer_jwks = lambda _: void(hangs.wait(30))
    assert keys.key_set.fetch_for("any")
    keys.clock.now += 6
    assert keys.key_set.fetch_for("any") is None
    hangs.set()


def test_a_thousand_unknown_kids_at_once_cause_one_fetch(issuer: Issuer) -> None:
    auth = Latchkey(issuer.url)
    strangers = [issuer.token(header={"kid": f"unknown-{number}"}) for number in range(1_000)]
    good = issuer.token()

    def is_good(token: str) -> bool:
        try:
            return auth.verify(token).id == 7
        except InvalidToken:
            return False

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(is_good, [*strangers, good]))
    assert answers == [False] * 1_000 + [True]
    assert issuer.jwks_requests == 1


def test_many_threads_that_start_at_once_share_one_fetch(issuer: Issuer) -> None:
    auth = Latchkey(issuer.url)
    asked, go_on = Event(), Event()

    def slow(request: Handler) -> None:
        asked.set()
        go_on.wait(30)
        send_json(request, {"keys": [key.public for key in issuer.keys]})

    issuer.answer_jwks = slow
    with ThreadPoolExecutor(50) as pool:
        users = [pool.submit(auth.verify, issuer.token()) for _ in range(50)]
        assert asked.wait(30)
        go_on.set()
        assert [user.result(30).id for user in users] == [7] * 50
    assert issuer.jwks_requests == 1


def jwks_of(*keys: SigningKey) -> bytes:
    """A JWKS as it is fetched."""
    return json.dumps({"keys": [key.public for key in keys]}).encode()


def test_a_remembered_token_is_verified_again_for_another_key_of_its_kid() -> None:
    key, successor = new_key(kid="same"), new_key(kid="same")
    known = read_jwks(jwks_of(key), {})
    genuine, token = GenuineTokens(), Token.parse(sign(key, {}))
    assert genuine.has(token, known["same"])
    assert read_jwks(jwks_of(new_key(), key), known)["same"] is known["same"], "an unchanged key stays the same"
    assert not genuine.has(token, read_jwks(jwks_of(successor), known)["same"])


def test_no_more_than_some_thousand_tokens_are_remembered() -> None:
    class CountingKey(VerifyingKey):
        verified = 0

        def verifies(self, *_: bytes) -> bool:
            CountingKey.verified += 1
            return True

    signer = new_key(kid="k")
    real = read_jwks(jwks_of(signer), {})["k"]
    key = CountingKey(real.jwk, real.algorithm, real.key)
    genuine, signed = GenuineTokens(), sign(signer, {}).rpartition(".")[0]
    tokens = [Token(f"{signed}.{number:04}", {}, b"") for number in range(REMEMBERED_MAX + 1)]
    for token in tokens:
        assert genuine.has(token, key)
        assert genuine.has(token, key)
    assert CountingKey.verified == REMEMBERED_MAX + 1
    genuine.has(tokens[1], key)
    assert CountingKey.verified == REMEMBERED_MAX + 1
    genuine.has(tokens[0], key)
    assert CountingKey.verified == REMEMBERED_MAX + 2, "the oldest is forgotten"


def test_no_keys_yet_is_503_and_says_what_to_do(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    token = issuer.token()
    issuer.keys = []
    with pytest.raises(Unavailable):
        Latchkey(issuer.url).verify(token)
    assert "latchkey keys init" in caplog.text


def test_an_hs256_token_of_a_latchkey_without_keys_is_503(issuer: Issuer) -> None:
    """Latchkey still signs like that, so the user is signed in, and must not be told otherwise."""
    token = issuer.token(header={"alg": "HS256", "kid": ..., "typ": "JWT"})
    issuer.keys = []
    with pytest.raises(Unavailable):
        Latchkey(issuer.url).verify(token)


def drip(request: Handler) -> None:
    """A byte now and then: each wait is short."""
    request.send_response(200)
    request.end_headers()
    try:
        while True:
            request.wfile.write(b" ")
            request.wfile.flush()
            time.sleep(0.05)
    except OSError:
        pass


def redirect(request: Handler) -> None:
    """To a JWKS with a forger's key."""
    send(request, 302, b"", Location="/evil/jwks.json")


def chunked(size: int) -> Callable[[Handler], None]:
    """An endless answer that does not say its length."""

    def answer(request: Handler) -> None:
        request.protocol_version = "HTTP/1.1"
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        try:
            for _ in range(size // 1024):
                request.wfile.write(b"400\r\n" + b" " * 1024 + b"\r\n")
            request.wfile.write(b"0\r\n\r\n")
        except OSError:
            pass

    return answer


def broken_headers(request: Handler) -> None:
    """A line that never ends."""
    request.wfile.write(b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n\r\n")


USELESS: dict[str, Callable[[Handler], None]] = {
    "10 MB": lambda request: send(request, 200, b" " * 10_000_000),
    "10 MB in chunks": chunked(10_000_000),
    "a redirect": redirect,
    "an error": lambda request: send(request, 500, b'{"keys": []}'),
    "no content": lambda request: send(request, 204, b""),
    "HTML": lambda request: send(request, 200, b"<!doctype html>"),
    "no object": lambda request: send_json(request, []),
    "no keys": lambda request: send_json(request, {}),
    "keys that are no list": lambda request: send_json(request, {"keys": {"a": "b"}}),
    "nested lists": lambda request: send(request, 200, b"[" * 60_000),
    "nested keys": lambda request: send(request, 200, b'{"keys":' + b"[" * 60_000),
    "half an answer": lambda request: send(request, 200, b'{"keys":[', **{"Content-Length": "5000"}),
    "not HTTP": lambda request: void(request.wfile.write(b"220 smtp ready\r\n")),
    "endless headers": broken_headers,
    "nothing": lambda _: None,
    "binary": lambda request: send(request, 200, bytes(range(256))),
}


def void(_: object) -> None:
    """Makes an expression of no value of one."""


@pytest.mark.parametrize("answer", USELESS.values(), ids=USELESS.keys())
def test_a_useless_answer_is_503_and_known_keys_hold(
    issuer: Issuer, keys: Keys, answer: Callable[[Handler], None]
) -> None:
    token, kid = issuer.token(), issuer.keys[0].kid
    issuer.answer_jwks = answer
    with pytest.raises(Unavailable):
        Latchkey(issuer.url).verify(token)
    assert issuer.count("/evil/jwks.json") == 0

    issuer.answer_jwks = None
    assert keys.knows(kid)
    issuer.answer_jwks = answer
    keys.clock.now += HOUR
    assert keys.knows(kid)


def test_an_answer_that_drips_is_given_up(issuer: Issuer) -> None:
    issuer.answer_jwks = drip
    began = time.monotonic()
    with pytest.raises(Unavailable):
        Latchkey(issuer.url).verify(issuer.token())
    assert 4 < time.monotonic() - began < 30


GOOD = new_key(kid="good")


def key_with(**changes: Any) -> dict[str, Any]:
    """A public key that differs in these members."""
    changed = new_key().public | {"kid": "odd"} | changes
    return {name: value for name, value in changed.items() if value is not ...}


UNUSABLE: dict[str, object] = {
    "a private key": {**new_key(kid="odd").private},
    "a private EdDSA key": {**new_key("EdDSA", kid="odd").private},
    "a symmetric key": {**OctKey.generate_key(256).as_dict(private=True), "kid": "odd", "alg": "HS256"},
    "a symmetric key for ES256": {**OctKey.generate_key(256).as_dict(private=True), "kid": "odd", "alg": "ES256"},
    "an RSA key": {**RSAKey.generate_key(2048).as_dict(private=False), "kid": "odd", "alg": "RS256"},
    "an unknown type": {"kty": "AKP", "kid": "odd", "alg": "ML-DSA-65", "pub": "AA"},
    "an unknown type for ES256": key_with(kty="XX"),
    "no type": key_with(kty=...),
    "a type that is a list": key_with(kty=["EC"]),
    "no algorithm": key_with(alg=...),
    "alg none": key_with(alg="none"),
    "an algorithm that is a list": key_with(alg=["ES256"]),
    "no kid": key_with(kid=...),
    "a kid that is a number": key_with(kid=1),
    "for encryption": key_with(use="enc"),
    "another curve": {**ECKey.generate_key("P-384").as_dict(), "kid": "odd", "alg": "ES256"},
    "an unknown curve": key_with(crv="secp256k1"),
    "a curve that is a list": key_with(crv=[]),
    "a point that is not on the curve": key_with(x=new_key().public["x"]),
    "a point at zero": key_with(x="AA", y="AA"),
    "a huge number": key_with(x="A" * 20_000),
    "a number that is no base64url": key_with(x="*"),
    "a number that is null": key_with(y=None),
    "X25519": {**OKPKey.generate_key("X25519").as_dict(), "kid": "odd", "alg": "EdDSA"},
    "Ed448": {**OKPKey.generate_key("Ed448").as_dict(), "kid": "odd", "alg": "EdDSA"},
    "EdDSA of an EC key": key_with(alg="EdDSA"),
    "text": "odd",
    "null": None,
    "a list": [["odd"]],
    "nested": json.loads('{"kid":' * 100 + "1" + "}" * 100),
}


@pytest.mark.parametrize("odd", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_unusable_key_is_skipped_and_the_good_one_beside_it_used(
    issuer: Issuer, keys: Keys, odd: object, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.answer_jwks = lambda request: send_json(request, {"keys": [odd, GOOD.public, odd]})
    assert keys.knows("good")
    assert not keys.knows("odd")
    assert "Skipped a key" in caplog.text
    assert json.dumps(odd) not in caplog.text


def test_only_unusable_keys_are_no_keys(issuer: Issuer, keys: Keys) -> None:
    issuer.answer_jwks = lambda request: send_json(request, {"keys": list(UNUSABLE.values())})
    with pytest.raises(Unavailable):
        keys.knows("odd")


def test_the_first_of_two_keys_of_one_kid_counts(issuer: Issuer) -> None:
    issuer.keys = [new_key(kid="same"), new_key(kid="same")]
    auth = Latchkey(issuer.url)
    assert auth.verify(issuer.token(issuer.keys[0])).id == 7
    with pytest.raises(InvalidToken, match="signature"):
        auth.verify(issuer.token(issuer.keys[1]))


def test_a_jwks_url_of_its_own(issuer: Issuer) -> None:
    """The issuer is compared all the same."""
    auth = Latchkey("https://accounts.example.com", jwks_url=f"{issuer.url}/.well-known/jwks.json")
    public: dict[str, Any] = {"iss": "https://accounts.example.com", "aud": "https://accounts.example.com"}
    assert auth.verify(issuer.token(**public)).id == 7
    with pytest.raises(InvalidToken, match="iss"):
        auth.verify(issuer.token(aud="https://accounts.example.com"))


def test_a_path_of_the_issuer_is_kept(issuer: Issuer) -> None:
    for url in (f"{issuer.url}/accounts", f"{issuer.url}/accounts/"):
        with pytest.raises(Unavailable):
            Latchkey(url).verify(issuer.token())
    assert issuer.paths == ["/accounts/.well-known/jwks.json"] * 2


BAD_URLS = [
    "accounts.example.com",
    "http://accounts.example.com",
    "http://localhost.example.com",
    "http://10.0.0.1",
    "ftp://localhost",
    "file:///etc/passwd",
    "https://",
    "https://user:password@accounts.example.com",
    "https://accounts.example.com:port",
    "",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_urls_that_cannot_be_trusted_are_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match=r"https|[Pp]ort"):
        Latchkey(url)


def test_http_is_for_this_machine_or_by_request() -> None:
    for url in ("http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000", "http://app.localhost"):
        Latchkey(url)
    inner = "http://latchkey.internal:3000/.well-known/jwks.json"
    with pytest.raises(ValueError, match="allow_http"):
        Latchkey("https://accounts.example.com", jwks_url=inner)
    Latchkey("https://accounts.example.com", jwks_url=inner, allow_http=True)
    with pytest.raises(ValueError, match="jwks_url"):
        Latchkey("http://accounts.example.com", allow_http=True)


def test_failures_are_logged_without_the_answer(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = issuer.token()
    issuer.answer_jwks = lambda request: send(request, 200, b"something secret")
    with pytest.raises(Unavailable):
        Latchkey(issuer.url).verify(token)
    assert "Cannot fetch the keys" in caplog.text
    assert "secret" not in caplog.text
    assert token not in caplog.text
