"""What a command imports: what it uses, and not the whole service. Seconds depend on the machine, modules do not."""

import subprocess
import sys

import pytest

SERVICE = {"granian", "starlette", "sqlalchemy", "alembic", "aiosmtplib", "redis", "limits", "ua_parser", "psutil"}
TOKENS = {"joserfc", "bcrypt", "jinja2"}
SETTINGS = {"asyncpg", "structlog"}


def imported(code: str) -> set[str]:
    """The top-level packages that a new interpreter has after that code."""
    program = f"{code}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("code", "unused"),
    [
        # --help and --version: the table of commands alone.
        ("import latchkey.cli.main", SERVICE | TOKENS | SETTINGS),
        # users list, show, verify; audit and mail; sessions.
        (
            "import latchkey.cli.main, latchkey.terminal.operation, latchkey.terminal.accounts",
            SERVICE | {"bcrypt", "jinja2"},
        ),
        ("import latchkey.cli.main, latchkey.cli.sessions", (SERVICE - {"ua_parser"}) | {"bcrypt", "jinja2"}),
        ("import latchkey.cli.main, latchkey.cli.audit, latchkey.cli.mail, latchkey.cli.purge", SERVICE | TOKENS),
        ("import latchkey.cli.main, latchkey.features.passwords.operator", SERVICE | {"jinja2"}),
        ("import latchkey.cli.main, latchkey.features.accounts.operator", SERVICE | {"jinja2", "bcrypt"}),
    ],
)
def test_a_command_imports_what_it_uses(code: str, unused: set[str]) -> None:
    assert imported(code) & unused == set()
