"""Checks of settings that are each valid but do not work together or in production. They read the settings alone."""

import math
import stat
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network
from urllib.parse import urlsplit

from latchkey.app import Settings
from latchkey.http.settings import Network
from latchkey.terminal.finding import Finding, ok, problem, warning
from latchkey.terminal.secrets import FILE
from latchkey.urls import is_loopback, is_plain, origin_of

# Wider than the network of any provider.
WIDEST_PREFIX_V4, WIDEST_PREFIX_V6 = 8, 16


def environment(settings: Settings) -> Finding:
    """Checks ENVIRONMENT. `latchkey dev` sets it itself; in `latchkey serve` it only removes protections."""
    name = "ENVIRONMENT"
    if not settings.development:
        return ok(name, "is production")
    return warning(
        name,
        "is development: latchkey serve then sends cookies without Secure and lets pages on localhost call,"
        " but prints no mails and has no /dev pages",
        "unset ENVIRONMENT and NODE_ENV for latchkey serve; on your own machine run latchkey dev",
    )


def public_url(settings: Settings) -> Finding:
    """Checks PUBLIC_URL.

    Production cookies are Secure: a browser accepts them only over https or from its own machine.
    """
    name, url = "PUBLIC_URL", settings.base_url()
    if settings.development:
        return ok(name, f"users reach the service at {url}")
    if not settings.public_url:
        return problem(
            name,
            f"is not set: links in mails point to {url}, and a page counts as Latchkey's by its host alone,"
            " over http too",
            "set it to the https URL at which users reach this service",
        )
    if is_plain(url):
        return problem(
            name,
            f"is {url}: browsers refuse the cookies, which are Secure in production, over http",
            "serve over https and set PUBLIC_URL to the https URL",
        )
    return ok(name, f"users reach the service at {url}")


def cors_origins(settings: Settings) -> Finding:
    """Checks CORS_ORIGINS. Browsers send SameSite=Strict cookies only within one site: same scheme, same registrable
    domain.

    Without COOKIE_DOMAIN, even within the site they go to Latchkey's own host alone.
    """
    name, url = "CORS_ORIGINS", settings.base_url()
    origins = sorted(settings.allowed_origins() - {origin_of(url)})
    if not origins:
        return ok(name, "no other origin may call with cookies")
    if not settings.development:
        plain = [origin for origin in origins if is_plain(origin)]
        if plain:
            return problem(
                name,
                f"{_listed(plain)} is http: anyone on the network path can act as that page's user",
                "serve those pages over https and list their https origins",
            )
        if not settings.public_url:
            return ok(name, f"{_listed(origins)} may call with cookies; not compared, since PUBLIC_URL is not set")
    foreign = [origin for origin in origins if _site(origin) != _site(url)]
    if foreign:
        return warning(
            name,
            f"{_listed(foreign)} seems to be another site than {origin_of(url)}, as far as the scheme and the last two"
            " labels of the names tell: browsers do not send SameSite=Strict cookies from one site to another",
            "serve the pages on the service's own host (ROOT_PATH), or on another one under the same registrable domain;"
            f" {_where_apis_get_cookies(settings)}",
        )
    elsewhere = any(urlsplit(origin).hostname != urlsplit(url).hostname for origin in origins)
    alone = f"; {_where_apis_get_cookies(settings)}" if elsewhere else ""
    return ok(name, f"{_listed(origins)} may call with cookies, from the site of {origin_of(url)}{alone}")


def cookie_prefix(settings: Settings) -> Finding:
    """Checks COOKIE_PREFIX. Browsers accept cookies with either prefix only if they are Secure."""
    name, prefix = "COOKIE_PREFIX", settings.cookie_prefix
    if prefix and settings.development:
        return problem(
            name,
            f"is {prefix}: browsers refuse such cookies unless they are Secure, and development's are not",
            "leave COOKIE_PREFIX unset in development",
        )
    return ok(name, f"cookies are named {prefix}accessToken and so on")


def cookie_domain(settings: Settings) -> Finding:
    """Says which layouts of pages and APIs COOKIE_DOMAIN makes possible."""
    name, domain, host = "COOKIE_DOMAIN", settings.cookie_domain, urlsplit(settings.base_url()).hostname
    if domain:
        return ok(
            name,
            f"an API on {domain} or any host below it gets the access cookie, and so does every other program there;"
            f" signing in works from pages of the same site; the refresh cookie stays on {host}",
        )
    return ok(
        name,
        f"is not set: an API on {host} gets the cookies, at any path and port; one on another host does not,"
        " since the cookies have no Domain",
    )


def rate_limit_storage(settings: Settings) -> Finding:
    """Checks RATE_LIMIT_STORAGE. Each process has its own counts in memory."""
    name = "RATE_LIMIT_STORAGE"
    if not settings.rate_limit_storage.startswith("memory://"):
        return ok(name, "requests are counted in a shared store")
    if settings.development:
        return ok(name, "requests are counted in memory")
    return warning(
        name,
        "requests are counted in memory: each instance has its own counts and loses them when it ends",
        "with more than one instance, set it to the redis:// or valkey:// URL of a store that they share",
    )


def trusted_proxies(settings: Settings) -> Finding:
    """Checks TRUSTED_PROXIES: which peers may name the client's address, and what takes slow clients."""
    name, networks = "TRUSTED_PROXIES", settings.trusted_proxies
    wide = [str(network) for network in networks if _is_too_wide(network)]
    if wide:
        return problem(
            name,
            f"{_listed(wide)} trusts strangers: anyone there can forge the address that the rate limit counts",
            "list only the addresses of your own proxies",
        )
    if not networks and not settings.development and is_loopback(settings.host):
        return warning(
            name,
            f"is empty while HOST is {settings.host}: all clients behind a proxy share one rate limit",
            "set it to the proxy's address, such as 127.0.0.1",
        )
    if not networks and not is_loopback(settings.host):
        return warning(
            name,
            f"is empty while HOST is {settings.host}: without a proxy that buffers, slow clients hold the"
            " server's connections, and one client can hold them all",
            "put a proxy such as nginx in front, and set it to the proxy's address",
        )
    return ok(name, f"{_listed(map(str, networks))} may name the client" if networks else "no proxy is trusted")


def mail(settings: Settings) -> Finding:
    """Checks that mail can be sent."""
    name = "mail"
    server = settings.smtp_server()
    if server is not None:
        return ok(name, f"is sent by {server}")
    if settings.development:
        shown = f"{settings.base_url()}/dev/mailbox"
        return ok(name, f"is printed by latchkey dev, and shown at {shown}; latchkey serve sends none without SMTP_URL")
    return warning(
        name,
        "none is sent, since SMTP_URL is not set: users who forget their password get no link",
        "set SMTP_URL, or hand over links from: latchkey users reset-link",
    )


def return_url(settings: Settings) -> Finding:
    """Checks RETURN_URL, the app that the built-in pages link to."""
    name, url = "RETURN_URL", settings.return_url
    if not settings.development and is_plain(url):
        return problem(name, "is http: anyone on the network path can replace that page", "serve the app over https")
    return ok(name, f"the built-in pages link to {url}" if url else "is not set: the built-in pages link to no app")


def kept_secrets(settings: Settings) -> Finding:
    """Checks who may read the file in which `latchkey dev` keeps its secrets."""
    name, file = "DATA_DIR", settings.data_dir / FILE
    if not settings.development:
        return ok(name, "production keeps no secrets there")
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return ok(name, f"{settings.data_dir} holds no secrets")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return problem(name, f"other users of this machine may read or change {file}", f"run: chmod 600 {file}")
    return ok(name, f"only its owner may read {file}")


def accepted_secrets(settings: Settings) -> Finding:
    """Says which secrets are accepted besides the current ones. Nothing tells since when, so this never warns."""
    name = "rotation of secrets"
    accepted = {
        "JWT_ACCESS_SECRET_ACCEPTED": settings.jwt_access_secret_accepted,
        "JWT_REFRESH_SECRET_ACCEPTED": settings.jwt_refresh_secret_accepted,
    }
    held = [f"{setting} holds {len(secrets)}" for setting, secrets in accepted.items() if secrets]
    if not held:
        return ok(name, "none under way: no other secret is accepted")
    days = max(settings.native_refresh_days, math.ceil(settings.refresh_token_hours / 24)) + 1
    return ok(name, f"{_listed(held)}; remove old ones {days} days after all instances have the new current secret")


AT_START = (public_url, cors_origins, cookie_prefix, cookie_domain, trusted_proxies, mail, return_url)
"""The checks whose findings `serve` and `dev` log at start. `serve` also checks `environment`."""

ALL: tuple[Callable[[Settings], Finding], ...] = (
    environment,
    *AT_START,
    rate_limit_storage,
    accepted_secrets,
    kept_secrets,
)


def _where_apis_get_cookies(settings: Settings) -> str:
    if settings.cookie_domain:
        return f"your API gets the access cookie on {settings.cookie_domain} and every host below it"
    return f"your API gets the cookies only on {urlsplit(settings.base_url()).hostname}"


def _is_too_wide(network: Network) -> bool:
    return network.prefixlen < (WIDEST_PREFIX_V4 if isinstance(network, IPv4Network) else WIDEST_PREFIX_V6)


def _site(url: str) -> tuple[str, str]:
    """Approximates the site without the public suffix list: too generous below co.uk, never too strict."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    labels = host.split(".")
    is_address = ":" in host or labels[-1].isdigit()
    return parts.scheme, host if is_address else ".".join(labels[-2:])


def _listed(items: Iterable[str]) -> str:
    return ", ".join(items)
