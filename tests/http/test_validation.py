"""Reading paths, queries and bodies: whatever comes, the outcome is a checked value or one of our refusals."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from latchkey.features.accounts.bodies import PageQuery, user_changes, user_replacement
from latchkey.features.introspection.bodies import IntrospectionForm
from latchkey.features.registration.bodies import registration
from latchkey.features.sign_in.bodies import LoginAttempt
from latchkey.http.envelope import failure
from latchkey.http.errors import MalformedBody, MalformedForm, NotForm, NotJson
from latchkey.http.exchange import Exchange
from latchkey.http.validation import parse_body, parse_form, parse_params, parse_query
from latchkey.refusal import Refusal, ValidationFailed
from latchkey.users.errors import UserNotFound
from latchkey.users.user import UserPath

INT32_MAX = 2_147_483_647
REGISTRATION = registration(password_min=8, name_min=1)
MODELS = [REGISTRATION, LoginAttempt, user_replacement(1), user_changes(1)]
FIELDS = ("name", "email", "password")

any_text = st.text(st.characters(exclude_categories=[]), max_size=30)
"""Every code point, lone surrogates included."""
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=8,
)
bodies = st.dictionaries(st.sampled_from(FIELDS) | any_text, json_values | st.just("siam@example.com"), max_size=5)
content_types = st.sampled_from(["application/json", "application/json; charset=utf-8", "text/plain", ""]) | st.text(
    st.characters(max_codepoint=0xFF), max_size=40
)
pieces = st.lists(
    st.sampled_from([*'{}[],:"\\', "\\u", "ud800", "null", "NaN", "1e999", "name", "\0", "\ufeff", " "]) | any_text
).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass"))


def exchange(body: bytes = b"", content_type: str = "application/json", query: bytes = b"", **more: str) -> Exchange:
    """A request as the edge hands it over: its body is read already, so nothing is received any more."""

    async def receive() -> Any:
        raise AssertionError("the body has been read")

    headers = [(b"content-type", content_type.encode("latin-1"))]
    headers += [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in more.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": query}
    made = Exchange(scope, receive, "0" * 32)
    made.body = body
    return made


def refusal_of(model: Any, asked: Exchange) -> Refusal | None:
    """The refusal of a body, checked to be one that can be sent; None when the body is accepted."""
    refused: Refusal | None = None
    try:
        assert isinstance(parse_body(model, asked), model)
    except Refusal as error:
        refused = error
    if refused is not None:
        envelope = json.loads(failure(refused))
        assert (envelope["success"], envelope["code"]) == (False, refused.code)
        assert ("errors" in envelope) == isinstance(refused, ValidationFailed)
    return refused


@given(st.binary(max_size=200) | pieces, content_types)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_any_bytes_are_read_or_refused(model: Any, body: bytes, content_type: str) -> None:
    """No bytes and no content type raise anything but a refusal of ours, and each can be written as JSON."""
    refusal_of(model, exchange(body, content_type))


@given(bodies)
@example({"\ud800": 1})
@example({"x" * 5000: 1})
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_any_object_is_accepted_or_its_fields_are_bad(model: Any, body: dict[str, Any]) -> None:
    """JSON that is one object is never malformed, and a refusal names at least one field, each once."""
    finite = json.dumps(body).replace("NaN", "1").replace("Infinity", "1")
    refused = refusal_of(model, exchange(finite.encode()))
    if refused is not None:
        assert type(refused) is ValidationFailed
        names = [bad.field for bad in refused.fields]
        assert names
        assert len(names) == len(set(names))


@given(json_values.filter(lambda value: not isinstance(value, dict)))
def test_anything_else_is_malformed(value: Any) -> None:
    """Lists, strings, numbers and null are JSON, but no object."""
    assert type(refusal_of(LoginAttempt, exchange(json.dumps(value).encode()))) is MalformedBody


@given(st.text(st.sampled_from('[{:,"a1'), max_size=400), st.integers(1, 10_000))
@example("[", 10_240)
@example('{"a":', 2_048)
def test_nesting_is_no_way_to_a_crash(piece: str, times: int) -> None:
    """However deep: the parser's stack is not ours to lose."""
    body = (piece * times)[:10_240].encode()
    assert refusal_of(user_changes(1), exchange(body)) is not None


@given(st.sampled_from(FIELDS), any_text, any_text)
def test_a_key_that_stands_twice_is_malformed(field: str, first: str, second: str) -> None:
    """Also where one of the two is escaped, and where both values are the same."""
    escaped = "".join(f"\\u{ord(character):04x}" for character in field)
    for other in (field, escaped):
        body = f'{{"{field}": {json.dumps(first)}, "{other}": {json.dumps(second)}}}'
        assert type(refusal_of(user_changes(1), exchange(body.encode()))) is MalformedBody


@given(st.text(min_size=8, max_size=18), st.booleans())
def test_what_is_written_is_what_is_read(password: str, escape: bool) -> None:
    """Any password survives JSON, escaped or not."""
    body = json.dumps({"email": "Siam@Example.com", "password": password}, ensure_ascii=escape).encode()
    parsed = parse_body(LoginAttempt, exchange(body))
    assert (parsed.email, parsed.password) == ("siam@example.com", password)


@given(st.text(st.characters(max_codepoint=0xFF), max_size=40))
@example("application/json; charset=utf-16")
def test_other_content_types_are_refused_before_parsing(content_type: str) -> None:
    """What is not called JSON in UTF-8 is not looked at: a body that cannot be parsed gets the same 415."""
    refused = refusal_of(LoginAttempt, exchange(b"{", content_type))
    is_json = content_type.strip().lower().startswith("application/json")
    assert isinstance(refused, MalformedBody if is_json and "16" not in content_type else NotJson)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20))
def test_any_coding_but_identity_is_refused(coding: str) -> None:
    """Whether or not it is one that exists."""
    refused = refusal_of(LoginAttempt, exchange(b"{", content_encoding=coding))
    assert isinstance(refused, MalformedBody if coding == "identity" else NotJson)


numbers = st.integers(0, 2**34).map(str) | st.from_regex(r"[0-9]{1,60}", fullmatch=True)


@given(numbers | any_text | st.text("0123456789+-_. ١１²", max_size=12))
@example("9" * 5000)
@example("0" * 5000 + "7")
@example("")
@example("٣")
def test_ids(text: str) -> None:
    """ASCII digits up to an int32 are the number; larger is nobody (404); everything else is a bad value (400)."""
    digits = text != "" and set(text) <= set("0123456789")
    significant = text.lstrip("0")
    if not digits:
        with pytest.raises(ValidationFailed) as bad:
            parse_params(UserPath, {"id": text})
        assert [field.field for field in bad.value.fields] == ["id"]
    elif len(significant) > 10 or int(significant or "0") > INT32_MAX:
        with pytest.raises(UserNotFound):
            parse_params(UserPath, {"id": text})
    else:
        assert parse_params(UserPath, {"id": text}) == UserPath(id=int(significant or "0"))


query_bytes = st.lists(
    st.sampled_from([b"page", b"limit", b"=", b"&", b";", b"%", b"%31", b"%00", b"%FF", b"%C3%28", b"+", b"1", b"-1"])
    | st.binary(max_size=4)
).map(b"".join)


@given(query_bytes)
@example(b"%70age=1&page=2")
@example(b"page=\xef\xbc\x91")
def test_any_query_is_read_or_refused(query: bytes) -> None:
    """Page and limit in their ranges, or a refusal that names one of the two."""
    refused: set[str] = set()
    try:
        parsed = parse_query(PageQuery, exchange(query=query))
    except ValidationFailed as error:
        refused = {bad.field for bad in error.fields}
    else:
        assert isinstance(parsed, PageQuery)
        assert 1 <= parsed.page <= INT32_MAX
        assert 1 <= parsed.limit <= 100
    assert refused <= {"page", "limit"}


@given(st.integers(1, INT32_MAX), st.integers(1, 100), st.text(max_size=5))
def test_names_that_a_query_does_not_know_are_ignored(page: int, limit: int, value: str) -> None:
    """Also when they stand twice; a client may carry parameters of its own."""
    other = "".join(f"%{byte:02x}" for byte in value.encode())
    query = f"x={other}&page={page}&x={other}&limit={limit}&Page=0&={other}".encode()
    parsed = parse_query(PageQuery, exchange(query=query))
    assert parsed == PageQuery.model_construct(page=page, limit=limit)


FORM = "application/x-www-form-urlencoded"


@given(st.binary(max_size=200), content_types | st.just(FORM))
def test_any_bytes_are_a_form_or_refused(body: bytes, content_type: str) -> None:
    refused: Refusal | None = None
    try:
        assert parse_form(IntrospectionForm, exchange(body, content_type)).token
    except Refusal as error:
        refused = error
    assert refused is None or type(refused) in {NotForm, MalformedForm, ValidationFailed}


@given(st.text(min_size=1, max_size=50), st.dictionaries(any_text.filter(lambda name: name != "token"), any_text))
def test_what_a_form_says_is_what_is_read(token: str, others: dict[str, str]) -> None:
    """Any text survives, and other fields do no harm."""
    fields = {name: value for name, value in others.items() if (name + value).isprintable()} | {"token": token}
    assert parse_form(IntrospectionForm, exchange(urlencode(fields).encode(), FORM)).token == token


@given(st.text(max_size=20), st.text(max_size=20), st.booleans())
def test_a_field_that_comes_twice_is_malformed(first: str, second: str, is_known: bool) -> None:
    """Also without a value, and also one that nobody reads (RFC 6749 section 3.2)."""
    name = "token" if is_known else "other"
    body = urlencode(
        [("token", "x"), (name, first), (name, second)] if not is_known else [(name, first), (name, second)]
    )
    with pytest.raises(MalformedForm):
        parse_form(IntrospectionForm, exchange(body.encode(), FORM))


@pytest.mark.parametrize("encoding", ["gzip", "identity, gzip"])
def test_a_compressed_form_is_refused(encoding: str) -> None:
    with pytest.raises(NotForm):
        parse_form(IntrospectionForm, exchange(b"token=x", FORM, content_encoding=encoding))
