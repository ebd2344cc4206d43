"""Django's requests and answers."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, JsonResponse

from latchkey_client.client import Latchkey
from latchkey_client.errors import Refused
from latchkey_client.incoming import Incoming
from latchkey_client.user import User


class SignedInRequest(HttpRequest):
    """For annotations: the request that a view behind `required` gets."""

    latchkey_user: User


def configured() -> Latchkey:
    """Returns the setting LATCHKEY. Raises ImproperlyConfigured."""
    auth = getattr(settings, "LATCHKEY", None)
    if not isinstance(auth, Latchkey):
        raise ImproperlyConfigured('Set LATCHKEY = latchkey_client.Latchkey("https://…") in the settings')
    return auth


def incoming(request: HttpRequest) -> Incoming:
    """Returns what a request brings. The own origin follows ALLOWED_HOSTS and SECURE_PROXY_SSL_HEADER."""

    def values(name: str) -> list[str]:
        value = request.headers.get(name)
        return [] if value is None else [value]

    return Incoming(
        method=request.method or "",
        headers=values,
        own_origin=lambda: f"{request.scheme}://{request.get_host()}",
    )


def answer(refused: Refused) -> JsonResponse:
    """Returns a refusal in Latchkey's envelope."""
    return JsonResponse(refused.body, status=refused.status, headers=refused.headers)
