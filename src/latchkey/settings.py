"""All settings of Latchkey, and the only module that reads the environment (contract, section 11)."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import limits
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from latchkey.mail_settings import SmtpServer, parse_mail_from, parse_smtp_url
from latchkey.urls import origin_of, require_readable

DEVELOPMENT_ORIGINS = ("http://localhost:3000", "http://localhost:3001", "http://localhost:5173")
MINIMUM_SECRET_BYTES = 32
SAMPLE_SECRETS = re.compile(r"your[-_]long[-_]random|change[-_]?me|replace[-_]?me|example[-_]secret", re.IGNORECASE)

REQUIRED = ("database_url", "jwt_access_secret", "jwt_refresh_secret")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(Exception):
    """The settings cannot work; `problems` says everything that is wrong, one line each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The settings cannot work:\n" + "\n".join(f"  - {problem}" for problem in problems))


class Settings(BaseSettings):
    """The settings as read and checked. Times are in the unit that the name says; secrets never print."""

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = None
    data_dir: Path = Path(".latchkey")
    host: str = "127.0.0.1"
    port: int = Field(3000, ge=1, le=65535)
    root_path: str = ""
    environment: Literal["production", "development"] = Field(
        "production", validation_alias=AliasChoices("ENVIRONMENT", "NODE_ENV")
    )
    jwt_access_secret: SecretStr | None = None
    jwt_refresh_secret: SecretStr | None = None
    public_url: str = ""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    rate_limit: str = "100/15 minutes"
    rate_limit_storage: str = "memory://"
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ()
    keep_alive_seconds: int | None = Field(None, ge=1, le=3600)
    bcrypt_rounds: int = Field(10, ge=4, le=16)
    hash_queue_seconds: float = Field(2.0, gt=0, le=30)
    password_min_length: int = Field(8, ge=1, le=72)
    refresh_leeway_seconds: int = Field(0, ge=0, le=60)
    session_max_days: int = Field(30, ge=1, le=3650)
    session_limit: int | None = Field(None, ge=1, le=1000)
    audit_required: bool = False
    request_log: bool = True
    registration: Literal["open", "closed"] = "open"
    users_list: Literal["all", "self"] = "all"
    require_verified_email: bool = False
    confirm_email_change: bool = False
    new_device_mail: bool = False
    audit_keep_days: int | None = Field(None, ge=1, le=36_500)
    purge_deleted_after_days: int | None = Field(None, ge=1, le=36_500)
    cookie_prefix: Literal["", "__Host-", "__Secure-"] = ""
    smtp_url: SecretStr | None = None
    mail_from: str | None = None
    mail_templates: Path | None = None
    reset_url: str = ""
    verify_url: str = ""

    @property
    def development(self) -> bool:
        """Whether this is a developer's machine: cookies without Secure, mails on the console."""
        return self.environment == "development"

    @field_validator("database_url")
    @classmethod
    def _database_url_is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
                raise ValueError("must begin with postgresql://")
            require_readable(value.get_secret_value())
        return value

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins_are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != origin_of(origin):
                raise ValueError(f"{origin!r} is no origin: write scheme://host or scheme://host:port, in lower case")
        return value

    @field_validator("public_url")
    @classmethod
    def _public_url_is_absolute(cls, value: str) -> str:
        if value and origin_of(value) is None:
            raise ValueError("must be an absolute http or https URL")
        return value.rstrip("/")

    @field_validator("reset_url", "verify_url")
    @classmethod
    def _pages_are_absolute(cls, value: str) -> str:
        # The token is put behind `#`, which must be the only one.
        if value and (origin_of(value) is None or "#" in value or re.search(r"[^!-~]", value)):
            raise ValueError("must be an absolute http or https URL of ASCII characters, without #")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp_url_is_read(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_smtp_url(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _mail_from_is_an_address(cls, value: str | None) -> str | None:
        if value is not None:
            parse_mail_from(value)
        return value

    @field_validator("root_path")
    @classmethod
    def _root_path_is_a_path(cls, value: str) -> str:
        value = value.rstrip("/")
        if value and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
            raise ValueError("must be a path such as /accounts")
        return value

    @field_validator("rate_limit")
    @classmethod
    def _rate_limit_parses(cls, value: str) -> str:
        try:
            limits.parse(value)
        except ValueError:
            raise ValueError("must be in the notation of the limits library, such as 100/15 minutes") from None
        return value

    @field_validator("rate_limit_storage")
    @classmethod
    def _storage_is_known(cls, value: str) -> str:
        if not re.match(r"(memory|(redis|valkey)(\+(cluster|sentinel|unix))?|rediss)://", value):
            raise ValueError("must be memory://, redis://…, rediss://… or valkey://…")
        if not value.startswith("memory"):
            require_readable(value)
        if "+sentinel://" in value and not urlsplit(value).path.strip("/"):
            raise ValueError("needs the name of the service: redis+sentinel://host:26379/name")
        return value

    @field_validator("jwt_access_secret", "jwt_refresh_secret")
    @classmethod
    def _secrets_are_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (problem := secret_problem(value.get_secret_value())):
            raise ValueError(problem)
        return value

    def allowed_origins(self) -> frozenset[str]:
        """Origins that may call with credentials: `CORS_ORIGINS`, or the development default."""
        if not self.cors_origins and self.development:
            return frozenset(DEVELOPMENT_ORIGINS)
        return frozenset(self.cors_origins)

    def base_url(self) -> str:
        """Where people reach this service: the base of the links in mails, without a trailing slash."""
        return self.public_url or f"http://localhost:{self.port}{self.root_path}"

    def reset_page_url(self) -> str:
        """The page that sets a new password: what reset links point to, before `#token=…`."""
        return self.reset_url or f"{self.base_url()}/reset-password"

    def verify_page_url(self) -> str:
        """The page that confirms an address: what such links point to, before `#token=…`."""
        return self.verify_url or f"{self.base_url()}/verify-email"

    def smtp_server(self) -> SmtpServer | None:
        """The server that takes our mails."""
        return parse_smtp_url(self.smtp_url.get_secret_value()) if self.smtp_url else None

    def mail_is_sent(self) -> bool:
        """Whether somebody gets a mail: by SMTP, or on a development console."""
        return self.development or self.smtp_url is not None


def secret_problem(secret: str) -> str | None:
    """What is wrong with a signing secret, or None. RFC 7518 section 3.2: HS256 needs 32 bytes or more."""
    if SAMPLE_SECRETS.search(secret):
        return "is a sample value; make one with: openssl rand -hex 32"
    if len(secret.encode()) < MINIMUM_SECRET_BYTES:
        return f"needs at least {MINIMUM_SECRET_BYTES} bytes; make one with: openssl rand -hex 32"
    return None


def load_settings(*, required: bool = False, **overrides: Any) -> Settings:
    """Reads environment and `.env`; `overrides` win over both.

    With `required`, DATABASE_URL and both secrets must be there, as production needs them.
    Raises SettingsError with everything that is wrong at once.
    """
    settings, problems = None, []
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        problems = _lines(error)
    raw = _Unchecked(**overrides)
    if required:
        problems += [f"{name.upper()}: is required" for name in REQUIRED if getattr(raw, name) is None]
    if raw.jwt_access_secret is not None and raw.jwt_access_secret == raw.jwt_refresh_secret:
        problems.append("JWT_ACCESS_SECRET and JWT_REFRESH_SECRET must differ")
    if raw.smtp_url is not None and raw.mail_from is None:
        problems.append("MAIL_FROM: is required with SMTP_URL: the address that mails come from")
    if settings is None or problems:
        raise SettingsError(problems)
    return settings


def says_development() -> bool:
    """Whether ENVIRONMENT is development, even where other settings cannot work."""
    return _Unchecked().environment == "development"


class _Unchecked(BaseSettings):
    """Some values as they stand, so that what is absent is named beside what is ill-formed."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True, populate_by_name=True)

    environment: str | None = Field(None, validation_alias=AliasChoices("ENVIRONMENT", "NODE_ENV"))

    database_url: SecretStr | None = None
    jwt_access_secret: SecretStr | None = None
    jwt_refresh_secret: SecretStr | None = None
    smtp_url: SecretStr | None = None
    mail_from: str | None = None


def _lines(error: ValidationError) -> list[str]:
    lines: list[str] = []
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        message = detail["msg"].removeprefix("Value error, ")
        name = ".".join(str(part) for part in detail["loc"][:1]).upper()
        lines += [f"{name}: {line}" if name else line for line in message.split("\n")]
    return lines
