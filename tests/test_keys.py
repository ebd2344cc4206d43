"""Keys of a secret: one for each purpose, the current one first, and none shown."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from latchkey.keys import Mac, Secret

OLD, NEW, OTHER = "old-secret-" * 4, "new-secret-" * 4, "other-secret-" * 4
messages = st.binary(max_size=100)


@given(messages)
def test_a_mac_is_made_with_the_current_secret(message: bytes) -> None:
    assert Mac(Secret(NEW, (OLD, OTHER)), "purpose").of(message) == Mac(Secret(NEW), "purpose").of(message)


@given(messages)
def test_macs_of_accepted_secrets_are_known(message: bytes) -> None:
    mac = Mac(Secret(NEW, (OLD, OTHER)), "purpose")
    accepted = list(mac.accepted(message))
    assert accepted == [Mac(Secret(secret), "purpose").of(message) for secret in (OLD, OTHER)]
    assert len({mac.of(message), *accepted}) == 3
    assert list(Mac(Secret(NEW), "purpose").accepted(message)) == []


@given(messages)
def test_a_mac_of_one_purpose_is_none_of_another(message: bytes) -> None:
    secret = Secret(NEW, (OLD,))
    one, other = ({mac.of(message), *mac.accepted(message)} for mac in (Mac(secret, "one"), Mac(secret, "other")))
    assert not one & other


def test_secrets_are_not_shown() -> None:
    secret = Secret.reveal(SecretStr(NEW), [SecretStr(OLD), SecretStr(OTHER)])
    assert secret.every == (NEW, OLD, OTHER)
    for shown in (repr(secret), str(secret), repr(Mac(secret, "purpose"))):
        assert not any(text in shown for text in secret.every)
