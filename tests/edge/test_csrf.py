"""Properties of the CSRF pair: only a pair that this secret issued, whole and together, passes."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from starlette.types import Message

from latchkey.http.edge.csrf import Csrf
from latchkey.http.edge.own_origin import OwnOrigin
from latchkey.http.errors import CsrfRefused
from latchkey.http.exchange import Exchange
from latchkey.keys import Secret

SECRET = "access-secret-of-these-properties-0123456789"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
OWN = "https://accounts.test"
LISTED = "https://app.test"
unsafe_methods = st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "post", "TRACE", "CONNECT", "PROPFIND"])


def csrf(secret: str = SECRET, *, accepted: tuple[str, ...] = (), public: str | None = OWN) -> Csrf:
    """The check of an instance at accounts.test that allows app.test; `public` None: it was not told where it is."""
    own = OwnOrigin(public=public, assumed="http://localhost:3000")
    return Csrf(Secret(secret, accepted), cookie_name="_csrf", secure=True, own=own, allowed=frozenset({LISTED}))


async def never() -> Message:
    """A body that nobody may read."""
    raise AssertionError("CSRF looks at headers only")


def exchange(method: str = "POST", **headers: str) -> Exchange:
    """A request to accounts.test; underscores in names are hyphens."""
    raw = {"host": "accounts.test"} | {name.replace("_", "-"): value for name, value in headers.items()}
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in raw.items()]
    return Exchange({"type": "http", "method": method, "path": "/", "headers": encoded}, never, "0" * 32)


def issued(instance: Csrf) -> tuple[str, str]:
    """A token and the value of the cookie that it is for."""
    token, set_cookie = instance.issue(exchange("GET"))
    assert set_cookie is not None
    return token, set_cookie.split(";")[0].removeprefix("_csrf=")


def passes(instance: Csrf, token: str, cookie: str, *, method: str = "POST", **headers: str) -> bool:
    """Whether a request with that pair is let through."""
    try:
        instance.check(exchange(method, cookie=f"_csrf={cookie}", x_csrf_token=token, **headers))
    except CsrfRefused:
        return False
    return True


def mutated(data: st.DataObject, value: str) -> str:
    """The value with one character changed, put in or left out."""
    at = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.sampled_from(ALPHABET + ".=+/ ,\xe9"))
    changed = data.draw(
        st.sampled_from(
            [value[:at] + other + value[at + 1 :], value[:at] + other + value[at:], value[:at] + value[at + 1 :]]
        )
    )
    assume(changed.strip(" ") != value)
    return changed


@given(unsafe_methods)
def test_what_is_issued_passes_on_every_instance(method: str) -> None:
    """Instances share nothing but the secret; any number of tokens is good for one cookie."""
    first, second = csrf(), csrf()
    token, cookie = issued(first)
    later, set_cookie = second.issue(exchange("GET", cookie=f"_csrf={cookie}"))
    assert set_cookie is None
    assert later != token
    assert passes(second, token, cookie, method=method)
    assert passes(first, later, cookie, method=method)


@given(st.data())
def test_any_change_of_the_token_is_refused(data: st.DataObject) -> None:
    """Every character counts."""
    token, cookie = issued(csrf())
    assert not passes(csrf(), mutated(data, token), cookie)


@given(st.data())
def test_any_change_of_the_cookie_is_refused(data: st.DataObject) -> None:
    """Every character counts, and a changed cookie is replaced by a new one at the next call."""
    token, cookie = issued(csrf())
    changed = mutated(data, cookie)
    assert not passes(csrf(), token, changed)
    assert csrf().issue(exchange("GET", cookie=f"_csrf={changed}"))[1] is not None


@given(st.text(alphabet=ALPHABET + ".", max_size=80), st.text(alphabet=ALPHABET + ".", max_size=80))
def test_what_was_not_issued_is_refused(token: str, cookie: str) -> None:
    """Equal halves, as in the plain double submit, are no pair either."""
    assert not passes(csrf(), token, cookie)
    assert not passes(csrf(), token, token)


@given(st.text(alphabet=ALPHABET, min_size=32, max_size=50).filter(lambda secret: secret != SECRET))
def test_another_secret_issues_nothing_that_passes(secret: str) -> None:
    """Nor do halves of two pairs make one."""
    token, cookie = issued(csrf(secret))
    own_token, own_cookie = issued(csrf())
    assert not passes(csrf(), token, cookie)
    assert not passes(csrf(), token, own_cookie)
    assert not passes(csrf(), own_token, cookie)


def test_a_pair_stays_good_while_the_secret_is_rotated() -> None:
    """Whichever of both instances has issued it, and whichever is asked, before and after each of them is restarted."""
    old, new = SECRET, "the-next-access-secret-0123456789abcdef"
    before, after = csrf(old, accepted=(new,)), csrf(new, accepted=(old,))
    for issuer in (csrf(old), before, after):
        token, cookie = issued(issuer)
        for asked in (before, after):
            assert passes(asked, token, cookie)
            later, set_cookie = asked.issue(exchange("GET", cookie=f"_csrf={cookie}"))
            renewed = (set_cookie or f"_csrf={cookie}").split(";")[0].removeprefix("_csrf=")
            for each in (before, after):
                # The jar has the cookie before or after this answer, and tabs have either token.
                assert all(passes(each, one, jar) for one in (token, later) for jar in (cookie, renewed))


def test_a_cookie_of_an_accepted_secret_is_signed_again() -> None:
    """For the same seed, so that earlier tokens stay good. Then the old secret can be dropped."""
    old, new = SECRET, "the-next-access-secret-0123456789abcdef"
    token, cookie = issued(csrf(old))
    later, set_cookie = csrf(new, accepted=(old,)).issue(exchange("GET", cookie=f"_csrf={cookie}"))
    assert set_cookie is not None
    renewed = set_cookie.split(";")[0].removeprefix("_csrf=")
    assert renewed.split(".")[0] == cookie.split(".")[0]
    assert passes(csrf(new), later, renewed)
    assert passes(csrf(new, accepted=(old,)), token, renewed)
    assert not passes(csrf(new), token, renewed)
    assert not passes(csrf(new), later, cookie)
    assert csrf(new, accepted=(old,)).issue(exchange("GET", cookie=f"_csrf={renewed}"))[1] is None


@given(st.permutations(["one", "two", "three"]), st.booleans(), st.data())
def test_a_changed_pair_is_refused_under_all_secrets(
    order: list[str], changes_token: bool, data: st.DataObject
) -> None:
    secrets = [f"access-secret-{name}-of-these-properties" for name in order]
    token, cookie = issued(csrf(secrets[-1]))
    asked = csrf(secrets[0], accepted=tuple(secrets[1:]))
    assert passes(asked, token, cookie)
    # One of both: token and cookie are random, and Hypothesis wants the same draws in each run.
    changed = mutated(data, token if changes_token else cookie)
    assert not (passes(asked, changed, cookie) if changes_token else passes(asked, token, changed))


def test_tokens_and_cookies_are_not_interchangeable() -> None:
    """Both are signed, each for what it is: the signature of one is none for the other."""
    token, cookie = issued(csrf())
    (nonce, token_mac), (seed, cookie_mac) = token.split("."), cookie.split(".")
    assert passes(csrf(), token, cookie)
    for forged_token, forged_cookie in (
        (cookie, cookie),
        (cookie, token),
        (token, token),
        (f"{nonce}.{cookie_mac}", cookie),
        (f"{seed}.{token_mac}", cookie),
        (token, f"{seed}.{token_mac}"),
        (token, f"{nonce}.{cookie_mac}"),
    ):
        assert not passes(csrf(), forged_token, forged_cookie)


@given(
    st.from_regex(r"[a-z]{1,8}://[a-z0-9.:@#/\[\]-]{1,30}", fullmatch=True)
    | st.text(alphabet=ALPHABET + ":/.", max_size=40)
)
def test_an_origin_that_is_not_ours_is_refused(origin: str) -> None:
    """Whatever it looks like. Where PUBLIC_URL is set, it is compared whole; the port may be its scheme's own."""
    assume(origin not in {OWN, f"{OWN}:443", LISTED})
    token, cookie = issued(csrf())
    assert not passes(csrf(), token, cookie, origin=origin)
    assume(origin not in {"http://accounts.test", "http://accounts.test:80", "http://localhost:3000"})
    assert not passes(csrf(public=None), token, cookie, origin=origin)


@pytest.mark.parametrize("origin", [OWN, f"{OWN}:443", LISTED])
@pytest.mark.parametrize("public", [OWN, None])
def test_our_own_origins_pass(origin: str, public: str | None) -> None:
    """That of PUBLIC_URL, and an allowed one, which alone may be of another site."""
    token, cookie = issued(csrf())
    assert passes(csrf(public=public), token, cookie, origin=origin)
    assert passes(csrf(public=public), token, cookie, origin=origin, sec_fetch_site="cross-site") == (origin == LISTED)


@pytest.mark.parametrize(
    "origin",
    [
        *("http://accounts.test", "http://accounts.test:80", "http://accounts.test:443", "https://accounts.test:80"),
        *("https://accounts.test:8443", "http://localhost:3000", "https://other.test"),
    ],
)
def test_scheme_and_port_count_once_they_are_known(origin: str) -> None:
    """Over http anybody on the way can serve a page in our name: with PUBLIC_URL https, its requests are not ours."""
    token, cookie = issued(csrf())
    assert not passes(csrf(), token, cookie, origin=origin)
    assert not passes(csrf(), token, cookie, origin=origin, host=origin.partition("//")[2])


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://accounts.test", "accounts.test"),
        ("https://accounts.test", "accounts.test:443"),
        ("http://accounts.test:8080", "ACCOUNTS.TEST:8080"),
        ("http://[::1]:3000", "[::1]:3000"),
        ("http://localhost:3000", "accounts.test"),
    ],
)
def test_host_counts_while_nothing_is_known(origin: str, host: str) -> None:
    """Without PUBLIC_URL, with either scheme: TLS may end before us."""
    token, cookie = issued(csrf())
    assert passes(csrf(public=None), token, cookie, origin=origin, host=host)
