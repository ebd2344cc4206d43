"""The fields of a user: what is accepted satisfies the contract's rule, and nothing that does is refused."""

import string
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from latchkey.features.accounts.bodies import PageQuery, user_changes, user_replacement
from latchkey.users.fields import Email, TypedEmail, name
from latchkey.users.visible import is_visible

NAME: TypeAdapter[str] = TypeAdapter(name(1))
NAME_OF_THREE: TypeAdapter[str] = TypeAdapter(name(3))
EMAIL: TypeAdapter[str] = TypeAdapter(Email)
TYPED_EMAIL: TypeAdapter[str] = TypeAdapter(TypedEmail)

INT32_MAX = 2_147_483_647
any_text = st.text(st.characters(exclude_categories=[]), max_size=130)
"""Every code point, lone surrogates included, which JSON can spell."""
atoms = st.text(string.ascii_letters + string.digits + "!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=20)
letters_and_digits = string.ascii_letters + string.digits
labels = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?", fullmatch=True)
top_labels = st.from_regex(r"[A-Za-z]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?", fullmatch=True)
hosts = st.builds(lambda names, top: ".".join([*names, top]), st.lists(labels, min_size=1, max_size=4), top_labels)
emails = st.builds(lambda local, host: f"{local}@{host}", st.lists(atoms, min_size=1, max_size=3).map(".".join), hosts)
almost_emails = st.text('aZ09.@-_+ "[]\\\n\0é', max_size=20) | st.builds(
    lambda email, where, what: email[: where % len(email)] + what + email[where % len(email) :],
    emails,
    st.integers(0),
    st.sampled_from([".", "@", " ", "-", "..", "\n", "é", "\ud800", "[", "x" * 100]),
)
WHITE_SPACE = {chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) == "Zs"} | set(
    "\t\n\v\f\r\u2028\u2029\ufeff"
)
"""What ECMAScript's trim() removes (WhiteSpace and LineTerminator), derived rather than listed."""
WHITE = "".join(sorted(WHITE_SPACE))


def accepted(field: TypeAdapter[Any], value: object) -> Any:
    """What a field makes of a value, None when it refuses it. Anything but a refusal is an error of the test."""
    try:
        return field.validate_python(value)
    except ValidationError:
        return None


def trimmed(text: str) -> str:
    """The text without white space around it, one character at a time."""
    while text and text[0] in WHITE_SPACE:
        text = text[1:]
    while text and text[-1] in WHITE_SPACE:
        text = text[:-1]
    return text


def is_name(text: str, *, at_least: int = 1) -> bool:
    """The contract's rule for a trimmed name."""
    bad = {"Cc", "Cs"}
    fits = at_least <= len(text) <= 100 and not any(unicodedata.category(character) in bad for character in text)
    return fits and any(is_visible(character) for character in text)


@given(any_text)
@example("\ufeff Siam\u3000")
@example("\x1fSiam")
@example("Siam\u0085")
@example("\u200bSi")
@example("\u674e")
@example("\u200b\u200b\u200b")
@example(" \u0301\u00ad ")
def test_names(text: str) -> None:
    """Accepted exactly when the trimmed text satisfies the rule, and then kept as it is."""
    kept = trimmed(text)
    assert accepted(NAME, text) == (kept if is_name(kept) else None)
    assert accepted(NAME_OF_THREE, text) == (kept if is_name(kept, at_least=3) else None)


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=98), st.text(WHITE, max_size=9)
)
def test_names_are_stable(text: str, around: str) -> None:
    """A name read back and sent again is the same name: PUT with what GET gave changes nothing."""
    name = f"N{text}N"
    once = accepted(NAME, around + name + around)
    assert once == name
    assert accepted(NAME, once) == once


UNSEEN = (
    "\u0000\u0009\u0020\u007f\u0085\u00a0\u00ad\u0300\u034f\u0488\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b\u180e\u180f\u2000"
    "\u200b\u200c\u200d\u200e\u2028\u2029\u202a\u202f\u205f\u2060\u2061\u2064\u2065\u2069\u206f\u20d0\u20dd\u2800\u3000\u3164"
    "\ufdd0\ufe00\ufe0f\ufe20\ufeff\uffa0\ufff0\ufff9\ufffb\ufffc\ufffe\uffff\U0001bca0\U0001d159\U0001d173\U0001fffe"
    "\U000e0000\U000e0001\U000e0020\U000e007f\U000e0100\U000e01ef\U000e0fff\U0010ffff"
)


@pytest.mark.parametrize("character", UNSEEN, ids=ascii)
def test_characters_that_nobody_sees(character: str) -> None:
    """Alone, or many together, they are no name; within one they stay, but for controls and what is trimmed."""
    assert not is_visible(character)
    for text in (character, character * 3, f"{character}\u200d{character}", f" {character}\u2800"):
        assert accepted(NAME, text) is None
    if unicodedata.category(character) != "Cc":
        assert accepted(NAME, f"A{character}B") == f"A{character}B"


@given(st.characters(categories=["L", "N", "P", "S", "Mc", "Co"]))
def test_characters_that_somebody_sees(character: str) -> None:
    """Letters of any script, digits, signs, emoji: one of them is a name, before or behind others that nobody sees."""
    if character in UNSEEN or character in "\U00013441\U00013442":
        return
    assert accepted(NAME, character) == character
    assert accepted(NAME, f"\u200c{character}\u034f") == f"\u200c{character}\u034f"


@given(emails)
def test_addresses_by_the_rule_are_accepted(email: str) -> None:
    """Dot-atom before the at, two labels or more behind it: in lower case, if within the limits."""
    local, _, _ = email.partition("@")
    fits = len(email) <= 150 and len(local) <= 64
    assert accepted(EMAIL, email) == (email.lower() if fits else None)


@given(emails | almost_emails)
def test_accepted_addresses_satisfy_the_rule(text: str) -> None:
    """Nothing else gets in: ASCII, two labels or more, no empty or hyphen-edged one, and stable when read again."""
    email = accepted(EMAIL, text)
    if email is None:
        return
    assert email == text.lower()
    assert email.isascii()
    assert email.isprintable()
    assert len(email) <= 150
    local, at, host = email.partition("@")
    assert at
    assert 1 <= len(local) <= 64
    assert all(local.split("."))
    assert not set(local) & set(' "(),:;<>@[\\]')
    names = host.split(".")
    assert len(names) >= 2
    assert all(1 <= len(name) <= 63 and name[0] != "-" != name[-1] for name in names)
    assert set(host) <= set(letters_and_digits + ".-")
    assert accepted(EMAIL, email) == email


@given(emails | almost_emails | any_text)
def test_every_address_that_registers_can_sign_in(text: str) -> None:
    """Login and forgot-password take all that register takes, and make the same of it."""
    email = accepted(EMAIL, text)
    typed = accepted(TYPED_EMAIL, text)
    assert email is None or typed == email


@given(emails | almost_emails)
def test_typed_addresses(text: str) -> None:
    """ASCII, at most 150, one at; what is accepted is stable."""
    typed = accepted(TYPED_EMAIL, text)
    if typed is None:
        return
    assert text.lower().endswith(typed + text[len(text.rstrip(" \t\r\n")) :])
    assert typed == typed.strip(" \t\r\n")
    assert typed.isascii()
    assert len(typed) <= 150
    assert typed.count("@") == 1
    assert "\0" not in typed
    assert accepted(TYPED_EMAIL, typed) == typed


printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="@"), max_size=70)


around = st.text(" \t\r\n", max_size=9)


@given(printable, printable, around, around)
def test_any_printable_text_around_an_at_can_be_typed(local: str, host: str, before: str, after: str) -> None:
    """The other half of the rule: nothing but length, ASCII and the one at is asked of it; white space at its ends is
    no part of it."""
    typed = f"{local}@{host}"
    assert accepted(TYPED_EMAIL, before + typed + after) == typed.strip(" ").lower()


@given(emails, around, around)
def test_white_space_around_an_address_is_refused_where_it_is_stored(email: str, before: str, after: str) -> None:
    """Trimmed where an account is only named: what is stored is what was sent, or refused."""
    if accepted(EMAIL, email) and before + after:
        assert accepted(EMAIL, before + email + after) is None
        assert accepted(TYPED_EMAIL, before + email + after) == email.lower()


numbers = st.from_regex(r"-?[0-9]{1,12}", fullmatch=True) | st.integers(-(2**40), 2**40).map(str)


def page_query(**values: str) -> tuple[int, int] | None:
    """Page and limit of a query; None when it is refused."""
    try:
        query = PageQuery.model_validate(values)
    except ValidationError:
        return None
    return query.page, query.limit


@given(numbers | any_text)
@example("2147483647")
@example("2147483648")
@example("-9999999999")
@example("１")
def test_page_and_limit(text: str) -> None:
    """`-?[0-9]{1,10}` up to an int32; pages below 1 are 1, limits outside 1 to 100 are 10; all else is refused."""
    digits = text.removeprefix("-")
    valid = 1 <= len(digits) <= 10 and set(digits) <= set(string.digits) and int(text) <= INT32_MAX
    page, limit = (max(int(text), 1), int(text) if 1 <= int(text) <= 100 else 10) if valid else (0, 0)
    assert page_query(page=text) == ((page, 10) if valid else None)
    assert page_query(limit=text) == ((1, limit) if valid else None)
    assert page_query(page=text, limit=text) == ((page, limit) if valid else None)


not_text = st.none() | st.booleans() | st.integers() | st.floats() | st.lists(st.text()) | st.binary()


@given(not_text)
@pytest.mark.parametrize("field", [NAME, EMAIL, TYPED_EMAIL], ids=["name", "email", "typed email"])
def test_nothing_is_converted_to_a_string(field: TypeAdapter[str], value: object) -> None:
    """`{"name": 123}` is refused, not stored as "123"; bytes are no text either."""
    assert accepted(field, value) is None


@given(st.dictionaries(st.sampled_from(["name", "email", "id", "__proto__", "Name", ""]), st.just("siam@example.com")))
def test_known_fields_and_no_other(body: dict[str, str]) -> None:
    """PUT takes both fields, PATCH any of them, neither takes another."""
    known = body.keys() <= {"name", "email"}
    assert (accepted(TypeAdapter(user_replacement(1)), body) is not None) == (body.keys() == {"name", "email"})
    changes = accepted(TypeAdapter(user_changes(1)), body)
    assert (changes is not None) == known
    assert changes is None or changes.model_fields_set == body.keys()
