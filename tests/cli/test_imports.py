"""A command imports what it uses, and not the whole service. Seconds depend on the machine, modules do not."""

import subprocess
import sys

import pytest

SERVICE = {"granian", "starlette", "sqlalchemy", "alembic", "aiosmtplib", "redis", "limits", "psutil", "jinja2"}
TOKENS = {"joserfc", "cryptography"}
LOGS = {"structlog", "rich"}
DEVICES = {"ua_parser"}


def imported(modules: str) -> set[str]:
    """Returns the top-level packages that the command line has loaded when it has imported these modules, too."""
    imports = ", ".join(["sys", "latchkey.cli.main", *modules.split()])
    program = f"import {imports}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("modules", "unused"),
    [
        # --help and --version: the table of commands alone.
        ("", SERVICE | TOKENS | LOGS | DEVICES | {"bcrypt", "asyncpg"}),
        (
            (
                "latchkey.cli.mail latchkey.cli.migrate latchkey.features.api_keys.operator"
                " latchkey.features.audit_log.operator"
            ),
            SERVICE | TOKENS | LOGS | DEVICES | {"bcrypt"},
        ),
        ("latchkey.terminal.accounts latchkey.features.registration.operator", SERVICE | LOGS | DEVICES),
        (
            "latchkey.features.imports.import_operator latchkey.features.imports.export_operator",
            SERVICE | LOGS | DEVICES,
        ),
        ("latchkey.cli.sessions latchkey.features.accounts.operator", SERVICE),
        ("latchkey.features.passwords.operator latchkey.features.signing_keys.operator", SERVICE | DEVICES),
    ],
)
def test_a_command_imports_what_it_uses(modules: str, unused: set[str]) -> None:
    assert imported(modules) & unused == set()
