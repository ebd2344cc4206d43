"""The guards of endpoints that API keys may call."""

from dataclasses import dataclass
from enum import StrEnum

from latchkey.features.api_keys.errors import InsufficientScope, InvalidApiKey
from latchkey.features.api_keys.key_limit import KeyLimit
from latchkey.features.api_keys.last_uses import LastUses
from latchkey.http.authenticate import ApiKey, Authenticator, Guard
from latchkey.http.exchange import Exchange
from latchkey.http.openapi import KEY_SCHEME
from latchkey.http.request_kind import RequestKind
from latchkey.refusal import Refusal


@dataclass(frozen=True, slots=True)
class KeyGuards:
    """Makes guards that admit API keys."""

    limit: KeyLimit
    uses: LastUses

    def scope(self, scope: StrEnum) -> Guard:
        """Returns a guard that admits keys with that scope, and nobody else."""
        return Guard((self.authenticator(scope),))

    def authenticator(self, scope: StrEnum) -> Authenticator:
        """Returns the authenticator of keys with that scope, for guards that admit others, too."""

        async def find_key(exchange: Exchange) -> ApiKey:
            key = exchange.proof
            if isinstance(key, Refusal):
                raise key
            assert isinstance(key, ApiKey), "the edge has counted the request for its key"
            self.uses.note(key.id)
            if scope not in key.scopes:
                raise InsufficientScope
            return key

        return Authenticator(
            scheme=KEY_SCHEME,
            applies=lambda exchange: exchange.kind is RequestKind.KEY,
            find_principal=find_key,
            failures=(InvalidApiKey, InsufficientScope),
            count=self.limit.count,
        )
