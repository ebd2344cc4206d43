"""The headers that tell an app who sent a request."""

from urllib.parse import quote

from starlette.responses import Response

from latchkey.features.forward_auth.queries import Profile
from latchkey.http.authenticate import Principal
from latchkey.http.envelope import empty_response

HEADERS = {
    "X-User-Id": "the id of the user",
    "X-User-Role": "`user` or `admin`",
    "X-User-Amr": "how the user signed in (RFC 8176), separated by commas",
    "X-User-Email": "the address, if it is verified; with `profile=1`",
    "X-User-Name": "the name, percent-encoded UTF-8; with `profile=1`",
    "X-Session-Id": "the id of the session",
    "X-Auth-Time": "when the user last signed in or confirmed that it is them, in seconds since the epoch",
    "X-Actor-Id": "the id of the administrator who acts for the user",
}
"""What each header says. An unknown value is empty."""


def describe(principal: Principal, profile: Profile | None) -> Response:
    """Returns the answer for a request that may pass.

    It always has all headers: for an absent one a proxy may pass on what the client sent. Caddy 2.10.0 to 2.11.1 does so
    for an empty one, too (GHSA-7r4p-vjf4-gxv4), so its configuration must remove the client's own first.
    """
    email = profile.email if profile else None
    return empty_response(
        204,
        (
            (b"x-user-id", b"%d" % principal.user_id),
            (b"x-user-role", (principal.role or "").encode("ascii")),
            (b"x-user-amr", ",".join(principal.amr).encode("ascii")),
            (b"x-user-email", email.encode("ascii") if email and _fits_header(email) else b""),
            (b"x-user-name", quote(profile.name, safe="").encode("ascii") if profile else b""),
            (b"x-session-id", str(principal.session_id).encode("ascii")),
            (b"x-auth-time", _number(principal.authenticated_at)),
            (b"x-actor-id", _number(principal.actor_id)),
        ),
    )


def _number(value: int | None) -> bytes:
    return b"" if value is None else b"%d" % value


def _fits_header(email: str) -> bool:
    """Tells whether an address can be sent as it is. One that an older program has stored may hold other characters."""
    return email.isascii() and email.isprintable() and " " not in email
