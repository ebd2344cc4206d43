"""Which tests `make quick` runs for a change."""

from pathlib import PurePosixPath as Path

import pytest

from tests.kit.selection import select

FLOW = "tests/scenarios/test_life.py"
TESTS = {
    Path(path): text
    for path, text in {
        "tests/cli/test_serve.py": "",
        "tests/database/test_migrate.py": "from latchkey.database.migrate import migrate",
        "tests/edge/test_csrf.py": "from tests.kit.forging import refresh_with",
        "tests/edge/test_cors.py": "",
        "tests/features/accounts/test_list.py": "the page of docs/accounts.md",
        "tests/features/sign_in/test_login.py": "from latchkey.http.edge.csrf import Csrf",
        "tests/features/sign_in/test_throttle.py": "import tests.kit.forging_more",
        "tests/http/test_routing.py": "",
        FLOW: "pytestmark = pytest.mark.smoke",
    }.items()
}


def chosen(*changed: str) -> list[str]:
    """The files that are run for these changes, but for the whole flow, which always is."""
    found = [str(path) for path in select(map(Path, changed), TESTS)]
    found.remove(FLOW)
    return found


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("tests/cli/test_serve.py", ["tests/cli/test_serve.py"]),
        ("src/latchkey/cli/users.py", ["tests/cli/test_serve.py"]),
        ("src/latchkey/cli", ["tests/cli/test_serve.py"]),
        ("src/latchkey/features/accounts/errors.py", ["tests/features/accounts/test_list.py"]),
        ("src/latchkey/features/accounts/mails/gone.txt", ["tests/features/accounts/test_list.py"]),
        ("src/latchkey/database/migrations/versions/0002_next.py", ["tests/database/test_migrate.py"]),
        ("src/latchkey/database", ["tests/database/test_migrate.py"]),
        ("docs/accounts.md", ["tests/features/accounts/test_list.py"]),
        ("tests/kit/forging.py", ["tests/edge/test_csrf.py"]),
        ("tests/features/conftest.py", [path for path in map(str, TESTS) if "features" in path]),
        ("tests/features/sign_in", [path for path in map(str, TESTS) if "sign_in" in path]),
        ("src/latchkey/new/thing.py", []),
        ("Makefile", []),
    ],
)
def test_tests_of_a_change(changed: str, expected: list[str]) -> None:
    """By the folder of the same name, by the name of the file, and by what a test names."""
    assert chosen(changed) == expected


def test_a_module_is_tested_by_its_folder_its_name_and_what_imports_it() -> None:
    assert chosen("src/latchkey/http/edge/csrf.py") == [
        "tests/edge/test_csrf.py",
        "tests/edge/test_cors.py",
        "tests/features/sign_in/test_login.py",
    ]
    assert chosen("src/latchkey/throttle.py") == ["tests/features/sign_in/test_throttle.py"]


def test_the_nearest_come_first() -> None:
    """Changed tests, then the whole flow, then those of the change that has the fewest."""
    changed = ["src/latchkey/features/sign_in/door.py", "src/latchkey/cli/dev.py", "tests/edge/test_cors.py"]
    assert [str(path) for path in select(map(Path, changed), TESTS)] == [
        "tests/edge/test_cors.py",
        FLOW,
        "tests/cli/test_serve.py",
        "tests/features/sign_in/test_login.py",
        "tests/features/sign_in/test_throttle.py",
    ]


def test_a_deleted_test_is_not_run() -> None:
    assert chosen("tests/cli/test_gone.py") == []
