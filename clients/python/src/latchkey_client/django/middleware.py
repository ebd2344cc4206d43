"""The middleware that sets `request.user`."""

from collections.abc import Callable
from functools import cache
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from latchkey_client.django.requests import answer, configured, incoming
from latchkey_client.errors import Refused, Unavailable
from latchkey_client.needs import Needs


class Middleware:
    """Sets `request.user` and `request.auser` to the Django user of a request's access token.

    Backend has to be in AUTHENTICATION_BACKENDS. A token that is refused gives AnonymousUser. A request without a token
    keeps the user whom an earlier middleware has set, such as that of Django's own session.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        """Lets the request pass. Its token is judged only when the user is asked for."""
        if configured().has_token(incoming(request)):
            find = cache(lambda: _find_user(request))
            request.user = SimpleLazyObject(find)
            request.auser = sync_to_async(find)
        return self._get_response(request)

    def process_exception(self, _: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answers 503 where a view asks for the user while tokens cannot be judged."""
        return answer(error) if isinstance(error, Refused) else None


def _find_user(request: HttpRequest) -> object:
    # Imported here: they need the apps to be loaded, which load this module.
    from django.contrib.auth.models import AnonymousUser

    from latchkey_client.django.backend import find_backend

    try:
        user = configured().authenticate(incoming(request), Needs())
    except Unavailable:
        raise
    except Refused:
        return AnonymousUser()
    return find_backend().authenticate(request, latchkey_user=user) or AnonymousUser()
