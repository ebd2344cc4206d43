"""A command imports what it uses, and not the whole service. Seconds depend on the machine, modules do not."""

import subprocess
import sys

import pytest

SERVICE = {"granian", "starlette", "sqlalchemy", "alembic", "aiosmtplib", "redis", "limits", "psutil", "jinja2"}
TOKENS = {"joserfc", "cryptography"}
LOGS = {"structlog", "rich"}
DEVICES = {"ua_parser"}


def imported(code: str) -> set[str]:
    """Returns the top-level packages that a new interpreter has loaded after that code."""
    program = f"{code}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("code", "unused"),
    [
        # --help and --version: the table of commands alone.
        ("import latchkey.cli.main", SERVICE | TOKENS | LOGS | DEVICES | {"bcrypt", "asyncpg"}),
        # users list, show, verify; audit, mail, purge and migrate.
        (
            "import latchkey.cli.main, latchkey.terminal.operation, latchkey.terminal.accounts,"
            " latchkey.cli.audit, latchkey.cli.mail, latchkey.cli.purge, latchkey.cli.migrate",
            SERVICE | TOKENS | LOGS | DEVICES | {"bcrypt"},
        ),
        (
            "import latchkey.cli.main, latchkey.features.registration.operator",
            SERVICE | TOKENS | LOGS | DEVICES,
        ),
        (
            "import latchkey.cli.main, latchkey.cli.sessions, latchkey.features.accounts.operator",
            SERVICE | TOKENS | {"bcrypt"},
        ),
        ("import latchkey.cli.main, latchkey.features.passwords.operator", SERVICE | LOGS | DEVICES),
    ],
)
def test_a_command_imports_what_it_uses(code: str, unused: set[str]) -> None:
    assert imported(code) & unused == set()
