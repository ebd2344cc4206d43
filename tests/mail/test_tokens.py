"""Tokens of mails: the same in every attempt, on every instance, for as long as their secret is accepted."""

from hypothesis import given
from hypothesis import strategies as st

from latchkey.keys import Secret
from latchkey.mail.tokens import MailTokens

OLD, NEW = "old-secret-" * 4, "new-secret-" * 4
nonces = st.binary(min_size=16, max_size=32)


@given(nonces)
def test_the_first_is_that_of_the_current_secret(nonce: bytes) -> None:
    (of_old,), (of_new,) = (MailTokens(Secret(secret)).derive(nonce) for secret in (OLD, NEW))
    assert MailTokens(Secret(OLD, (NEW,))).derive(nonce) == (of_old, of_new)
    assert MailTokens(Secret(NEW, (OLD,))).derive(nonce) == (of_new, of_old)
    assert of_old != of_new


@given(nonces, nonces)
def test_no_two_mails_have_one_token(one: bytes, other: bytes) -> None:
    tokens = MailTokens(Secret(NEW, (OLD,)))
    assert bool(set(tokens.derive(one)) & set(tokens.derive(other))) == (one == other)
