"""Django: `required` guards views. `Middleware`, with `backend.Backend`, gives apps Django users.

Settings: `LATCHKEY = Latchkey("https://accounts.example.com")`.
"""

from latchkey_client.django.middleware import Middleware
from latchkey_client.django.requests import SignedInRequest
from latchkey_client.django.views import required

__all__ = ["Middleware", "SignedInRequest", "required"]
