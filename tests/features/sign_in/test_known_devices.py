"""Properties of the value that makes a device known: for its accounts alone, and under every accepted secret."""

from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from latchkey.features.sign_in.known_devices import ACCOUNTS_MAX, DEVICE_HEADER, KnownDevices
from latchkey.http.exchange import Exchange
from latchkey.http.request_kind import RequestKind
from latchkey.keys import Secret

OLD, NEW, OTHER = "old-secret-" * 4, "new-secret-" * 4, "other-secret-" * 4
EMAIL = "ann@example.com"
transports = st.sampled_from([RequestKind.COOKIE, RequestKind.NATIVE])


def devices(current: str, *accepted: str) -> KnownDevices:
    """Returns what reads and writes the value on an instance with these secrets."""
    return KnownDevices(Secret(current, accepted), prefix="", secure=True)


async def never() -> Message:
    """A body that nobody may read."""
    raise AssertionError("devices are in headers only")


def request(value: str | None, kind: RequestKind = RequestKind.COOKIE) -> Exchange:
    """A login with that value: in the cookie, or from a native client in the header."""
    header = ("cookie", f"knownDevice={value}") if kind is RequestKind.COOKIE else (DEVICE_HEADER, value or "")
    headers = [] if value is None else [(header[0].encode(), header[1].encode())]
    exchange = Exchange({"type": "http", "method": "POST", "path": "/", "headers": headers}, never, "0" * 32)
    exchange.kind = kind
    return exchange


def remembered(by: KnownDevices, value: str | None = None, email: str = EMAIL, generation: int = 0) -> str:
    """Returns the value after a login of a device with that value."""
    return by.remember(request(value), email, generation)


@given(transports)
def test_a_known_device_stays_known_while_the_secret_is_rotated(kind: RequestKind) -> None:
    """The same device, so its failures count on, whichever instance is asked."""
    before, after = devices(OLD, NEW), devices(NEW, OLD)
    for value in (remembered(devices(OLD)), remembered(before), remembered(after)):
        known = {instance.recognise(request(value, kind), EMAIL, 0) for instance in (before, after)}
        assert known == {value.partition(".")[0]}
    assert devices(NEW).recognise(request(remembered(devices(OLD)), kind), EMAIL, 0) is None


def test_a_login_replaces_the_tag_of_an_accepted_secret() -> None:
    """So it takes no room of another account, and the old secret can be dropped."""
    value = remembered(devices(OLD))
    renewed = remembered(devices(NEW, OLD), value)
    assert renewed.partition(".")[0] == value.partition(".")[0]
    assert renewed.count(".") == 1
    assert devices(NEW).recognise(request(renewed), EMAIL, 0) is not None
    assert devices(OLD).recognise(request(renewed), EMAIL, 0) is None
    assert remembered(devices(NEW, OLD), renewed) == renewed


def test_other_accounts_of_the_device_keep_their_tags() -> None:
    value = None
    emails = [f"user{number}@example.com" for number in range(ACCOUNTS_MAX)]
    for email in emails:
        value = remembered(devices(OLD), value, email)
    renewed = remembered(devices(NEW, OLD), value, emails[0])
    known = [devices(NEW, OLD).recognise(request(renewed), email, 0) is not None for email in emails]
    assert known == [True] * ACCOUNTS_MAX
    assert [devices(NEW).recognise(request(renewed), email, 0) is not None for email in emails] == [
        email == emails[0] for email in emails
    ]


@given(st.emails(), st.integers(0, 9), st.sampled_from([OLD, NEW, OTHER]))
def test_a_device_is_known_for_its_account_and_generation_alone(email: str, generation: int, secret: str) -> None:
    every = devices(NEW, OLD, OTHER)
    value = remembered(devices(secret), None, email, generation)
    assert every.recognise(request(value), email, generation) is not None
    assert every.recognise(request(value), email, generation + 1) is None
    assert every.recognise(request(value), f"x{email}", generation) is None
    device, tag = value.split(".")
    assert every.recognise(request(f"{device[::-1]}.{tag}"), email, generation) is None or device == device[::-1]
