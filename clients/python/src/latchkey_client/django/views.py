"""The decorator of views."""

from collections.abc import Awaitable, Callable, Collection
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast, overload

from asgiref.sync import iscoroutinefunction

from latchkey_client.django.requests import answer, configured, incoming
from latchkey_client.errors import Refused
from latchkey_client.needs import Needs

P = ParamSpec("P")
R = TypeVar("R")


@overload
def required(view: Callable[P, R]) -> Callable[P, R]: ...
@overload
def required(
    *, role: str | None = None, max_age: int | None = None, amr: Collection[str] = ()
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def required(
    view: Callable[P, R] | None = None,
    *,
    role: str | None = None,
    max_age: int | None = None,
    amr: Collection[str] = (),
) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
    """Lets only requests with an access token of Latchkey reach a view, which finds the User in `request.latchkey_user`.

    `role`: the role that the user must have. `max_age`: the greatest age of the sign-in in seconds. `amr`: methods that
    the sign-in must have used. Write `@required` or `@required(role="admin")`. For class-based views use Django's
    `method_decorator(required, name="dispatch")`.

    Checks the Origin of unsafe methods itself. Add `@csrf_exempt` to views that bearer clients call, where Django's
    CsrfViewMiddleware is installed.
    """
    needs = Needs(role, max_age, amr)

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        # Any: Django's requests do not declare the attribute.
        @wraps(view)
        async def guarded_async(request: Any, *args: Any, **kwargs: Any) -> object:
            try:
                request.latchkey_user = await configured().aauthenticate(incoming(request), needs)
            except Refused as refused:
                return answer(refused)
            return await cast(Callable[..., Awaitable[object]], view)(request, *args, **kwargs)

        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> object:
            try:
                request.latchkey_user = configured().authenticate(incoming(request), needs)
            except Refused as refused:
                return answer(refused)
            return cast(Callable[..., object], view)(request, *args, **kwargs)

        return cast(Callable[P, R], guarded_async if iscoroutinefunction(view) else guarded)

    return decorate if view is None else decorate(view)
