"""`latchkey doctor`: checks the configuration and its services, and says what to correct."""

import asyncio
from dataclasses import asdict
from functools import partial

from latchkey import __version__
from latchkey.app import FEATURES, Settings
from latchkey.cli import configuration_checks
from latchkey.cli.feature_checks import check_database_of_features, check_features
from latchkey.cli.live_checks import check_database, check_store
from latchkey.cli.mail_checks import check_smtp, templates
from latchkey.clock import system_clock
from latchkey.settings import SettingsError, load_settings, says_development, setting_warnings
from latchkey.terminal.development import development_dsn, dsn_file
from latchkey.terminal.finding import Finding, ok, problem, warning
from latchkey.terminal.output import print_json, print_line

SECRETS = ("JWT_ACCESS_SECRET", "JWT_REFRESH_SECRET")


def doctor(*, as_json: bool) -> None:
    """Prints every finding. Exits with 1 if one is a problem. Never prints a secret or a password."""
    findings, settings = _settings()
    named = {finding.message.partition(":")[0] for finding in findings if finding.level == "problem"}
    findings += [warning(odd.name, odd.message, odd.advice) for odd in setting_warnings(Settings)]
    checked = [*(check(settings) for check in configuration_checks.ALL), *check_features(settings)]
    findings += [finding for finding in checked if finding.check not in named]
    findings += asyncio.run(_ask(settings))
    environment = "development" if says_development() else "production"
    healthy = all(finding.level != "problem" for finding in findings)
    if as_json:
        listed = [asdict(finding) for finding in findings]
        print_json({"version": __version__, "environment": environment, "ok": healthy, "findings": listed})
    else:
        print_line(f"Latchkey {__version__}, checked for {environment} (the setting ENVIRONMENT)")
        if environment == "production" and settings.database_url is None and dsn_file(settings).exists():
            print_line(
                "This directory has the data of latchkey dev. To check that: ENVIRONMENT=development latchkey doctor"
            )
        for finding in findings:
            print_line(f"{finding.level:7}  {finding.check}: {finding.message}")
            if finding.advice:
                print_line(f"         -> {finding.advice}")
    if not healthy:
        raise SystemExit(1)


def _settings() -> tuple[list[Finding], Settings]:
    """Returns the errors in the settings, and the settings with defaults for unreadable ones, so that the rest is
    checked."""
    development = says_development()
    problems: list[str] = []
    try:
        settings = load_settings(Settings, required=not development)
    except SettingsError as error:
        problems = error.problems
        unusable = {line.partition(":")[0].lower() for line in problems} & Settings.model_fields.keys()
        settings = Settings(**{name: Settings.model_fields[name].default for name in unusable})
    findings = [
        problem("secrets" if line.startswith(SECRETS) else "settings", line, "correct it in the environment or .env")
        for line in problems
    ]
    if not any(finding.check == "settings" for finding in findings):
        findings.insert(0, ok("settings", "can be read"))
    if not any(finding.check == "secrets" for finding in findings):
        made = development and not (settings.jwt_access_secret and settings.jwt_refresh_secret)
        findings.append(ok("secrets", "made and kept by latchkey dev" if made else "are set, long and different"))
    return findings, settings


async def _ask(settings: Settings) -> list[Finding]:
    findings = [await check_store(settings.rate_limit_storage), templates(settings), *await check_smtp(settings)]
    url = settings.database_url.get_secret_value() if settings.database_url else None
    if url is None and settings.development:
        url = development_dsn(settings)
        if url is None:
            findings.append(ok("database", "not checked: DATABASE_URL is not set, and latchkey dev is not running"))
    if url is not None:
        due = [chore for feature in FEATURES for chore in feature.chores(settings)]
        tallies = [tally for feature in FEATURES for tally in feature.tallies]
        production = not settings.development
        of_features = partial(check_database_of_features, settings)
        findings += await check_database(
            url, due, of_features, tallies=tallies, production=production, clock=system_clock
        )
    return findings
