"""Passwords and reset tokens: what is accepted satisfies the contract's rule and is not changed by it."""

import unicodedata
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from latchkey.features.passwords.bodies import ForgottenPassword, password_change, password_reset
from latchkey.features.registration.bodies import registration
from latchkey.features.sign_in.bodies import LoginAttempt
from latchkey.hashing.common_passwords import is_common
from latchkey.hashing.password_fields import TypedPassword, new_password
from latchkey.mail.tokens import LinkToken

MIN_LENGTH = 8
NEW_PASSWORD: TypeAdapter[str] = TypeAdapter(new_password(MIN_LENGTH))
TYPED_PASSWORD: TypeAdapter[str] = TypeAdapter(TypedPassword)
RESET_TOKEN: TypeAdapter[str] = TypeAdapter(LinkToken)

any_text = st.text(st.characters(exclude_categories=[]), max_size=90)
"""Every code point, lone surrogates and U+0000 included."""
wide_text = st.text(st.characters(min_codepoint=0x80), max_size=40)


def accepted(field: TypeAdapter[Any], value: object) -> Any:
    """What a field makes of a value, None when it refuses it."""
    try:
        return field.validate_python(value)
    except ValidationError:
        return None


def size(text: str) -> int | None:
    """Bytes in UTF-8, None when it cannot be written so."""
    return None if "Cs" in map(unicodedata.category, text) else len(text.encode())


@given(any_text | wide_text)
@example("\0" * 8)
@example(" " * 8)
@example("😀" * 18)
@example("😀" * 19)
@example("x" * 71 + "é")
@example("secret12\ud800")
def test_new_passwords(text: str) -> None:
    """Eight code points or more, 72 bytes or fewer, any characters; kept as they are, to the byte."""
    length = size(text)
    fits = length is not None and length <= 72 and len(text) >= MIN_LENGTH
    assume(not is_common(text))
    assert accepted(NEW_PASSWORD, text) == (text if fits else None)


@given(st.integers(1, 72), any_text)
def test_minimum_length_is_a_setting(minimum: int, text: str) -> None:
    """PASSWORD_MIN_LENGTH counts code points, not bytes."""
    length = size(text)
    fits = length is not None and length <= 72 and len(text) >= minimum
    assume(not is_common(text))
    assert accepted(TypeAdapter(new_password(minimum)), text) == (text if fits else None)


@given(any_text | st.text(max_size=1100) | st.integers(1000, 1050).map(lambda length: "x" * length))
def test_typed_passwords(text: str) -> None:
    """From one byte to 1 024, any characters; kept as they are."""
    length = size(text)
    fits = length is not None and 1 <= length <= 1024
    assert accepted(TYPED_PASSWORD, text) == (text if fits else None)


@given(st.text(min_size=MIN_LENGTH, max_size=18))
def test_every_password_that_can_be_set_can_be_typed(text: str) -> None:
    """Login takes whatever register took, unchanged. Eighteen characters are 72 bytes at most."""
    assume(not is_common(text))
    assert accepted(NEW_PASSWORD, text) == accepted(TYPED_PASSWORD, text) == text


@given(any_text)
def test_reset_tokens(text: str) -> None:
    """Any text but none: whether it is a token is for the database to say."""
    assert accepted(RESET_TOKEN, text) == (text if text and size(text) is not None else None)


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.lists(st.text()))
@pytest.mark.parametrize("field", [NEW_PASSWORD, TYPED_PASSWORD, RESET_TOKEN], ids=["new", "typed", "token"])
def test_nothing_is_converted_to_a_string(field: TypeAdapter[str], value: object) -> None:
    """12345678 is a number, not a password."""
    assert accepted(field, value) is None


GOOD: dict[str, str] = {
    "name": "Siam",
    "email": "siam@example.com",
    "password": "Secret123!",
    "currentPassword": "Secret123!",
    "newPassword": "Changed456!",
    "token": "0" * 64,
}
MODELS: dict[type[BaseModel], set[str]] = {
    registration(password_min=MIN_LENGTH, name_min=1): {"name", "email", "password"},
    LoginAttempt: {"email", "password"},
    password_change(MIN_LENGTH): {"currentPassword", "newPassword"},
    ForgottenPassword: {"email"},
    password_reset(MIN_LENGTH): {"token", "newPassword"},
}


@given(st.sets(st.sampled_from(sorted(GOOD))), st.sets(st.sampled_from(sorted(GOOD))))
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_bad_field_is_named_and_no_good_one(model: type[BaseModel], absent: set[str], wrong: set[str]) -> None:
    """By its JSON name, also where Python has another; fields of other bodies do not matter."""
    body = {name: 1 if name in wrong else value for name, value in GOOD.items() if name not in absent}
    expected = MODELS[model] & (absent | wrong)
    named: set[str] = set()
    try:
        model.model_validate(body)
    except ValidationError as error:
        named = {str(detail["loc"][0]) for detail in error.errors()}
    assert named == expected


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_python_names_are_no_json_names(model: type[BaseModel]) -> None:
    """`current_password` is not a field of ours: one spelling each."""
    body = {name: value for name, value in GOOD.items() if name == name.lower()}
    body |= {"current_password": "Secret123!", "new_password": "Changed456!"}
    complete = MODELS[model] <= body.keys()
    assert (accepted(TypeAdapter(model), body) is not None) is complete


@given(st.text("0123456789", min_size=9, max_size=20))
def test_passwords_do_not_show_in_refusals(password: str) -> None:
    """What a refusal says of a password never repeats it."""
    for field, value in ((NEW_PASSWORD, password * 9), (TYPED_PASSWORD, [password])):
        with pytest.raises(ValidationError) as refused:
            field.validate_python(value)
        assert password not in str([detail["msg"] for detail in refused.value.errors()])
