"""Settings of the edge: origins, rate limit, proxies and cookies."""

import ipaddress
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from latchkey.secret_rules import split_commas
from latchkey.settings import ServiceSettings
from latchkey.urls import host_problem, origin_problem, require_readable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
DEVELOPMENT_ORIGINS = ("http://localhost:3000", "http://localhost:3001", "http://localhost:5173")


def require_limit(value: str) -> str:
    """Returns a limit of requests. Raises ValueError if the limits library cannot read it."""
    # Imported here: only a process that sets a limit loads the library.
    import limits

    try:
        limits.parse(value)
    except ValueError:
        raise ValueError("must be in the notation of the limits library, such as 100/15 minutes") from None
    return value


class HttpSettings(ServiceSettings):
    """Origins, limits, proxies and cookies."""

    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Comma-separated origins of front ends that may call with cookies. Setting it replaces "
        "the default of development: http://localhost:3000, :3001, :5173.",
    )
    native_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Comma-separated origins of native apps whose web view sends one, such as `tauri://localhost`.",
    )
    rate_limit: str = Field(
        "100/15 minutes",
        description="Limit of requests from one client address, in the notation of the limits library.",
    )
    rate_limit_storage: str = Field(
        "memory://",
        description="Store that counts requests and failed sign-ins: `redis://…` or `valkey://…` for several instances.",
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="Comma-separated addresses or networks of proxies whose X-Forwarded-For is believed."
    )
    keep_alive_seconds: int | None = Field(
        None,
        ge=1,
        le=3600,
        description="Seconds that a connection may be idle, or take to send a request header. Unset: 10, or 75 with "
        "TRUSTED_PROXIES.",
    )
    cookie_prefix: Literal["", "__Host-", "__Secure-"] = Field(
        "",
        description="Prefix of all cookie names. `__Host-` keeps sibling domains from planting cookies; production only.",
    )
    cookie_domain: str = Field(
        "",
        description="Domain whose hosts all get the access cookie: the host of PUBLIC_URL or a parent of it, such as"
        " `example.com`. Unset: only Latchkey's own host gets it.",
    )
    return_url: str = Field(
        "", description="URL of your app. Pages of Latchkey link to it when a password is set or an address verified."
    )
    request_log: bool = Field(True, description="false: no line for each request; warnings and errors stay.")

    def allowed_origins(self) -> frozenset[str]:
        """Returns the origins that may call with credentials: CORS_ORIGINS, or the development default."""
        if not self.cors_origins and self.development:
            return frozenset(DEVELOPMENT_ORIGINS)
        return frozenset(self.cors_origins)

    @field_validator("cors_origins", "native_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        return split_commas(value)

    @field_validator("cors_origins")
    @classmethod
    def _origins_are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if problem := origin_problem(origin):
                raise ValueError(f"{origin!r} {problem}")
        return value

    @field_validator("native_origins")
    @classmethod
    def _native_origins_have_a_scheme(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9._:-]+", origin):
                raise ValueError(f"{origin!r} must be an origin, such as tauri://localhost")
        return value

    @field_validator("return_url")
    @classmethod
    def _return_url_is_absolute(cls, value: str) -> str:
        if value and (problem := host_problem(value)):
            raise ValueError(problem)
        if re.search(r"[^!-~]", value):
            raise ValueError("must be an absolute http or https URL of ASCII characters")
        return value

    @field_validator("rate_limit")
    @classmethod
    def _rate_limit_parses(cls, value: str) -> str:
        return require_limit(value)

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
