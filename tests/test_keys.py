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
def test_macs_of_all_secrets_are_compared_the_current_one_first(message: bytes) -> None:
    every = list(Mac(Secret(NEW, (OLD, OTHER)), "purpose").each(message))
    assert every == [Mac(Secret(secret), "purpose").of(message) for secret in (NEW, OLD, OTHER)]
    assert len(set(every)) == 3


@given(messages)
def test_a_mac_of_one_purpose_is_none_of_another(message: bytes) -> None:
    secret = Secret(NEW, (OLD,))
    assert not set(Mac(secret, "one").each(message)) & set(Mac(secret, "other").each(message))


def test_secrets_are_not_shown() -> None:
    secret = Secret.reveal(SecretStr(NEW), [SecretStr(OLD), SecretStr(OTHER)])
    assert secret.every == (NEW, OLD, OTHER)
    for shown in (repr(secret), str(secret), repr(Mac(secret, "purpose"))):
        assert not any(text in shown for text in secret.every)
