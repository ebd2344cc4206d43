"""The backend that maps Latchkey's users to Django's."""

import logging
from typing import Any

from django.contrib.auth import get_backends, get_user_model
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Manager
from django.http import HttpRequest

from latchkey_client.user import User

_log = logging.getLogger("latchkey_client")


class Backend(BaseBackend):
    """Finds the Django user of a Latchkey user by its id, or makes it.

    Stores one row of the user model: `latchkey-<id>` in its USERNAME_FIELD, and a password that fits nothing. Nothing
    else of the account is stored: no e-mail address, no name, no role. Never looks for an address: addresses change, and
    whoever has an account's address later is not its owner.

    A subclass may override `find_or_make`, for user models that need more fields. Django's ModelBackend beside this one
    grants permissions and groups.
    """

    def authenticate(
        self,
        request: HttpRequest | None,  # noqa: ARG002  # Django passes it to every backend
        latchkey_user: User | None = None,
        **_: Any,
    ) -> AbstractBaseUser | None:
        """Returns the Django user, or None for one that is not active, and for other credentials."""
        if latchkey_user is None:
            return None
        user = self.find_or_make(latchkey_user)
        if user.has_usable_password():
            # Somebody chose this name at the app's own sign-up, to share the account of the Latchkey user.
            _log.error("The Django user %s has a password, so it is not taken for a Latchkey user", user.pk)
            return None
        return user if user.is_active else None

    def find_or_make(self, latchkey_user: User) -> AbstractBaseUser:
        """Returns the Django user of a Latchkey user."""
        name = {str(get_user_model().USERNAME_FIELD): f"latchkey-{latchkey_user.id}"}
        user, _ = _users().get_or_create(**name, defaults={"password": make_password(None)})
        return user

    def get_user(self, user_id: int) -> AbstractBaseUser | None:
        """Returns the user with this primary key, or None."""
        user = _users().filter(pk=user_id).first()
        return user if user is not None and user.is_active else None


def _users() -> "Manager[AbstractBaseUser]":
    return get_user_model()._default_manager  # noqa: SLF001  # the name that Django documents for this


def find_backend() -> Backend:
    """Returns the Backend of AUTHENTICATION_BACKENDS. Raises ImproperlyConfigured."""
    for backend in get_backends():
        if isinstance(backend, Backend):
            return backend
    raise ImproperlyConfigured('Add "latchkey_client.django.backend.Backend" to AUTHENTICATION_BACKENDS')
