"""Finding users: filters that must all hold, and pages that lose nobody."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.kit.admins import sign_in_admin
from tests.kit.browser import Browser, bad_fields
from tests.kit.server import Server
from tests.kit.stored import Sql

Find = Callable[..., list[str]]
Open = Callable[..., Browser]

PEOPLE: list[dict[str, Any]] = [
    {"name": "Ann Bell", "email": "ann.bell@example.com", "verified": True},
    {"name": "Änne Müller-Lüdenscheidt", "email": "aenne@Example.COM", "suspended": True},
    {"name": "Bo O'Hara", "email": "bo+news@mail.example.org", "role": "admin"},
    {"name": "100% a & !b", "email": "percent_sign@example.net", "verified": True, "days_ago": 40},
    {"name": "Zoë Ann", "email": "zoe@example.org", "deleted": True},
    {"name": "Chen Li", "email": "chen@example.com", "suspended": True, "over": True, "days_ago": 400},
]


@pytest.fixture
def admin(start: Callable[..., Server], open_browser: Open, own_sql: Sql) -> Browser:
    """An admin of an installation of these people."""
    browser = open_browser(start())
    sign_in_admin(browser, own_sql)
    for person in PEOPLE:
        add_person(own_sql, person)
    return browser


def add_person(sql: Sql, person: dict[str, Any]) -> None:
    values = {"role": "user", "verified": False, "suspended": False, "deleted": False, "days_ago": 0} | person
    values["until"] = "-1 hour" if person.get("over") else None
    sql.execute(
        "INSERT INTO users (name, email, password, role, email_verified_at, suspended_at, suspended_until, is_deleted,"
        " deleted_at, created_at) VALUES (%(name)s, %(email)s, '', %(role)s, CASE WHEN %(verified)s THEN now() END,"
        " CASE WHEN %(suspended)s THEN now() - interval '2 hours' END, now() + %(until)s::interval, %(deleted)s,"
        " CASE WHEN %(deleted)s THEN now() END, now() - make_interval(days => %(days_ago)s))",
        values,
    )


def names(browser: Browser, **query: str) -> set[str]:
    """Returns the names of all users of a search, but for the admin's own."""
    answer = browser.get(f"/admin/users?{urlencode(query)}")
    assert answer.status_code == 200, answer.text
    return {user["name"] for user in answer.json()["data"]} - {"Siam"}


FOUND: list[tuple[dict[str, str], set[str]]] = [
    ({"q": "ann"}, {"Ann Bell"}),
    ({"q": "BELL an"}, {"Ann Bell"}),
    ({"q": "lüden"}, {"Änne Müller-Lüdenscheidt"}),
    ({"q": "example"}, {"Ann Bell", "Änne Müller-Lüdenscheidt", "Bo O'Hara", "100% a & !b", "Chen Li"}),
    ({"q": "ann.bell@exa"}, {"Ann Bell"}),
    ({"q": "O'Ha"}, {"Bo O'Hara"}),
    ({"q": "news"}, {"Bo O'Hara"}),
    ({"q": "percent_"}, {"100% a & !b"}),
    ({"q": "a & !b"}, set()),
    ({"q": "100% sign"}, {"100% a & !b"}),
    ({"q": "%"}, set()),
    ({"q": "'"}, set()),
    ({"q": "ell"}, set()),
    ({"q": "':* | zz"}, set()),
    ({"q": "ann \\' | chen"}, set()),
    ({"email": "ANN.bell@example.com"}, {"Ann Bell"}),
    ({"email": "ann.bell"}, set()),
    ({"domain": "example.com"}, {"Ann Bell", "Änne Müller-Lüdenscheidt", "Chen Li"}),
    ({"role": "admin"}, {"Bo O'Hara"}),
    ({"verified": "true"}, {"Ann Bell", "100% a & !b"}),
    ({"suspended": "true"}, {"Änne Müller-Lüdenscheidt"}),
    ({"suspended": "false", "domain": "example.com"}, {"Ann Bell", "Chen Li"}),
    ({"deleted": "true"}, {"Zoë Ann"}),
    ({"deleted": "any", "q": "ann"}, {"Ann Bell", "Zoë Ann"}),
    ({"verified": "false", "domain": "example.com", "q": "ch"}, {"Chen Li"}),
    ({"role": "user", "verified": "true", "domain": "example.net"}, {"100% a & !b"}),
]


def test_filters(admin: Browser) -> None:
    for query, found in FOUND:
        assert names(admin, **query) == found, query


def test_times(admin: Browser) -> None:
    """Both ends belong to the range."""
    month_ago = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    year_ago = (datetime.now(UTC) - timedelta(days=365)).isoformat().replace("+00:00", "Z")
    assert names(admin, createdTo=month_ago) == {"100% a & !b", "Chen Li"}
    assert names(admin, createdFrom=year_ago, createdTo=month_ago) == {"100% a & !b"}
    assert names(admin, createdFrom=month_ago, verified="true") == {"Ann Bell"}


def test_what_a_list_shows(admin: Browser) -> None:
    answer = admin.get("/admin/users").json()
    assert answer["meta"] == {"limit": 50, "nextCursor": None, "total": 6}
    assert len(answer["data"]) == 6
    assert list(answer["data"][0]) == [
        *("id", "name", "email", "role", "verifiedAt", "createdAt", "deletedAt"),
        *("suspendedAt", "suspendedUntil", "suspendedReason"),
    ]
    assert admin.get("/admin/users?q=ann").json()["meta"] == {"limit": 50, "nextCursor": None}


BAD = [
    ("limit=0", "limit"),
    ("limit=101", "limit"),
    ("sort=name", "sort"),
    ("q=", "q"),
    ("q=" + "a" * 101, "q"),
    ("q=%00", "q"),
    ("verified=yes", "verified"),
    ("role=owner", "role"),
    ("createdFrom=yesterday", "createdFrom"),
    ("createdFrom=2027-01-31", "createdFrom"),
    ("createdTo=2027-02-30T00:00:00Z", "createdTo"),
    ("createdTo=0001-01-01T00:00:00%2B14:00", "createdTo"),
    ("page=2", "page"),
    ("q=a&q=b", "q"),
    ("cursor=abc", "cursor"),
    ("cursor=%C3%A4", "cursor"),
]


def test_bad_queries(admin: Browser) -> None:
    for query, field in BAD:
        answer = admin.get(f"/admin/users?{query}")
        assert answer.status_code == 400, query
        assert bad_fields(answer) == {field}, query


def test_pages(admin: Browser) -> None:
    """They are one list, in its order, and a cursor of one list is refused by another."""
    for sort in ("-id", "id", "email", "-email"):
        _check_pages(admin, sort)


def _check_pages(admin: Browser, sort: str) -> None:
    whole = [user["id"] for user in admin.get(f"/admin/users?sort={sort}&deleted=any").json()["data"]]
    assert len(whole) == 7
    paged, cursor = [], ""
    while True:
        answer = admin.get(f"/admin/users?sort={sort}&deleted=any&limit=2{cursor}").json()
        paged += [user["id"] for user in answer["data"]]
        if answer["meta"]["nextCursor"] is None:
            break
        cursor = f"&cursor={answer['meta']['nextCursor']}"
    assert paged == whole
    first = admin.get(f"/admin/users?sort={sort}&limit=2").json()["meta"]["nextCursor"]
    assert admin.get(f"/admin/users?sort={sort}&limit=5&cursor={first}").status_code == 200
    for other in (f"sort={sort}&deleted=any", f"sort={sort}&q=ann", f"sort={'id' if sort != 'id' else 'email'}"):
        assert bad_fields(admin.get(f"/admin/users?{other}&cursor={first}")) == {"cursor"}


def test_pages_while_others_register(admin: Browser, own_sql: Sql) -> None:
    """Nobody who was there is listed twice or left out."""
    there = {user["id"] for user in admin.get("/admin/users?limit=100").json()["data"]}
    seen: list[int] = []
    cursor = ""
    for number in range(100):
        answer = admin.get(f"/admin/users?limit=1{cursor}").json()
        seen += [user["id"] for user in answer["data"]]
        own_sql.execute(
            "INSERT INTO users (name, email, password) VALUES ('New', %s, '')", [f"new{number}@example.com"]
        )
        if answer["meta"]["nextCursor"] is None:
            break
        cursor = f"&cursor={answer['meta']['nextCursor']}"
    assert sorted(seen) == sorted(there)
