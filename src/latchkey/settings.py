"""Reads settings from the environment and `.env`, and declares those of the service itself."""

import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar

from dotenv import dotenv_values
from pydantic import AliasChoices, AliasPath, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from latchkey.cookie_domain import cookie_domain_problem
from latchkey.database_url import parse_database_url
from latchkey.secret_rules import AcceptedSecrets, SplitSecrets, equal_secrets, secret_problem
from latchkey.urls import host_problem

ALIKE = 0.85
"""How similar a name must be to a setting's to count as misspelt: difflib's ratio."""
PREFIX = "LATCHKEY_"

REQUIRED = ("database_url", "jwt_access_secret", "jwt_refresh_secret")


class SettingsError(Exception):
    """The settings are invalid. `problems` lists all errors, one on each line."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The settings cannot work:\n" + "\n".join(f"  - {problem}" for problem in problems))


class ServiceSettings(BaseSettings):
    """Service."""

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        frozen=True,
        # A command imports several models and uses one.
        defer_build=True,
        env_ignore_empty=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = Field(
        None, description="PostgreSQL 13 or newer, as a URL. Unset, `latchkey dev` runs an embedded one under DATA_DIR."
    )
    data_dir: Path = Field(
        Path(".latchkey"),
        description="Directory of the embedded database, its DSN (file `dsn`) and generated secrets (mode 0600).",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(3000, ge=1, le=65535, description="Port to listen on.")
    root_path: str = Field(
        "", description="Path of the app's own host that Latchkey is served under, such as `/accounts`."
    )
    environment: Literal["production", "development"] = Field(
        "production",
        validation_alias=AliasChoices("ENVIRONMENT", "NODE_ENV"),
        description="`latchkey dev` sets `development`. NODE_ENV is read too.",
    )
    jwt_access_secret: SecretStr | None = Field(
        None,
        description="Signs CSRF tokens and known devices, and access tokens while no signing key does; at least 32 "
        "bytes. `latchkey dev` makes and keeps one.",
    )
    jwt_access_secret_accepted: AcceptedSecrets = Field(
        (),
        description="One or two other secrets, comma-separated: what they have signed as JWT_ACCESS_SECRET is accepted, "
        "too. They sign nothing. For [a rotation](operations.md#rotate-a-secret).",
    )
    jwt_refresh_secret: SecretStr | None = Field(
        None,
        description="Signs refresh tokens, derives links in mails, and seals signing keys: losing it loses them. At least "
        "32 bytes, different from the other one.",
    )
    jwt_refresh_secret_accepted: AcceptedSecrets = Field(
        (),
        description="The same for JWT_REFRESH_SECRET: also what they have sealed and derived is accepted.",
    )
    public_url: str = Field(
        "",
        description="URL at which users reach Latchkey: base of links in mails, and its own origin. Set it in production.",
    )

    @model_validator(mode="before")
    @classmethod
    def _without_newlines_at_the_end(cls, data: Any) -> Any:
        """Removes a newline at the end of values, which files and secret stores often add.

        `setting_warnings` reports it.
        """
        return _without_newlines(data)

    @property
    def development(self) -> bool:
        """Tells whether ENVIRONMENT is development: cookies without Secure, pages on this machine as CORS origins.

        Mails and causes are shown by `latchkey dev` only, whatever this setting says.
        """
        return self.environment == "development"

    @field_validator("database_url")
    @classmethod
    def _database_url_is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_database_url(value.get_secret_value())
        return value

    @field_validator("public_url")
    @classmethod
    def _public_url_is_absolute(cls, value: str) -> str:
        if value and (problem := host_problem(value)):
            raise ValueError(problem)
        return value.rstrip("/")

    @field_validator("root_path")
    @classmethod
    def _root_path_is_a_path(cls, value: str) -> str:
        value = value.rstrip("/")
        if value and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
            raise ValueError("must be a path such as /accounts")
        return value

    @field_validator("jwt_access_secret", "jwt_refresh_secret")
    @classmethod
    def _secrets_are_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (problem := secret_problem(value.get_secret_value())):
            raise ValueError(problem)
        return value

    def base_url(self) -> str:
        """Returns the URL at which users reach this service, without a trailing slash: the base of links in mails."""
        return self.public_url or f"http://localhost:{self.port}{self.root_path}"


AnySettings = TypeVar("AnySettings", bound=ServiceSettings)


def load_settings(model: type[AnySettings], *, required: bool = False, **overrides: Any) -> AnySettings:
    """Reads the environment and `.env` into `model`. `overrides` win over both.

    `required`: DATABASE_URL and both secrets must be set, as production needs them. Raises SettingsError with all
    errors at once.
    """
    settings, problems = None, []
    try:
        settings = model(**overrides)
    except ValidationError as error:
        problems = _lines(error)
    raw = _Unchecked(**overrides)
    if required:
        problems += [f"{name.upper()}: is required" for name in REQUIRED if getattr(raw, name) is None]
    problems += equal_secrets(raw.secrets())
    if raw.smtp_url is not None and raw.mail_from is None:
        problems.append("MAIL_FROM: is required with SMTP_URL: the address that mails come from")
    domain_problem = cookie_domain_problem(
        raw.cookie_domain, public_url=raw.public_url, cookie_prefix=raw.cookie_prefix
    )
    if domain_problem is not None:
        problems.append(f"COOKIE_DOMAIN: {domain_problem}")
    if settings is None or problems:
        raise SettingsError(problems)
    return settings


@dataclass(frozen=True, slots=True)
class SettingWarning:
    """A setting whose name or value works, but probably not as intended."""

    name: str
    message: str
    advice: str


def setting_warnings(model: type[BaseSettings]) -> list[SettingWarning]:
    """Returns warnings about the environment and `.env`: names similar to a setting's, and values that end with a
    newline."""
    ours = {alias for name, field in model.model_fields.items() for alias in _names(name, field.validation_alias)}
    given = dotenv_values(".env") | os.environ
    warnings = []
    for name, value in sorted(given.items()):
        upper = name.upper()
        if upper in ours:
            if value is not None and value != value.rstrip("\r\n"):
                message = "ends with a newline, which is ignored"
                warnings.append(SettingWarning(upper, message, "remove the newline, so that other programs agree"))
        elif meant := get_close_matches(upper.removeprefix(PREFIX), ours, n=1, cutoff=ALIKE):
            warnings.append(
                SettingWarning(name, "is not a setting and is ignored", f"write {meant[0]}, if you mean that")
            )
    return warnings


def _names(name: str, alias: str | AliasPath | AliasChoices | None) -> list[str]:
    return [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [name.upper()]


def says_development() -> bool:
    """Tells whether ENVIRONMENT is development, even if other settings are invalid."""
    return _Unchecked().environment == "development"


class _Unchecked(BaseSettings):
    """Reads some values unchecked, so that a missing one is reported beside invalid ones."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True, populate_by_name=True)

    environment: str | None = Field(None, validation_alias=AliasChoices("ENVIRONMENT", "NODE_ENV"))

    database_url: SecretStr | None = None
    jwt_access_secret: SecretStr | None = None
    jwt_access_secret_accepted: SplitSecrets = ()
    jwt_refresh_secret: SecretStr | None = None
    jwt_refresh_secret_accepted: SplitSecrets = ()
    smtp_url: SecretStr | None = None
    mail_from: str | None = None
    cookie_domain: str = ""
    cookie_prefix: str = ""
    public_url: str = ""

    @model_validator(mode="before")
    @classmethod
    def _without_newlines_at_the_end(cls, data: Any) -> Any:
        return _without_newlines(data)

    def secrets(self) -> dict[str, tuple[SecretStr, ...]]:
        """Returns the secrets that each setting holds."""
        return {
            "JWT_ACCESS_SECRET": tuple(filter(None, [self.jwt_access_secret])),
            "JWT_REFRESH_SECRET": tuple(filter(None, [self.jwt_refresh_secret])),
            "JWT_ACCESS_SECRET_ACCEPTED": self.jwt_access_secret_accepted,
            "JWT_REFRESH_SECRET_ACCEPTED": self.jwt_refresh_secret_accepted,
        }


def _without_newlines(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: value.rstrip("\r\n") if isinstance(value, str) else value for name, value in data.items()}
    return data


def _lines(error: ValidationError) -> list[str]:
    lines: list[str] = []
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        message = detail["msg"].removeprefix("Value error, ")
        name = ".".join(str(part) for part in detail["loc"][:1]).upper()
        lines += [f"{name}: {line}" if name else line for line in message.split("\n")]
    return lines
