"""The actor of a request that an admin guard has admitted."""

from typing import Any

from latchkey.audit.actor import Actor
from latchkey.http.authenticate import ApiKey
from latchkey.http.endpoint import Call


def actor_of(call: Call[Any]) -> Actor:
    """Returns the admin and their session, or the API key."""
    if isinstance(call.principal, ApiKey):
        return Actor(api_key_id=call.principal.id, origin=call.origin)
    return Actor(user_id=call.signed_in.user_id, session_id=call.signed_in.session_id, origin=call.origin)
