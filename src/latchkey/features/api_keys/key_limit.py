"""Counts requests with an API key: a good key for itself, a bad one for its address."""

from latchkey.features.api_keys.errors import InvalidApiKey
from latchkey.features.api_keys.key_format import PresentedKey, hash_of, read_key
from latchkey.features.api_keys.lookup import KeyLookup
from latchkey.http.authenticate import ApiKey
from latchkey.http.edge.client import network_of
from latchkey.http.edge.rate_limit import RateLimit
from latchkey.http.exchange import Exchange
from latchkey.http.request_kind import API_KEY_PREFIX


class KeyLimit:
    """Counts a good key in `good`. A bad one counts in `bad` for its address, whose own limit counts it, too.

    Past the limit of bad keys of an address, only remembered keys are taken from there: guesses, and revoked keys that
    are still in use, then cost no statement.
    """

    def __init__(self, lookup: KeyLookup, *, good: RateLimit, bad: RateLimit) -> None:
        self._lookup = lookup
        self._good = good
        self._bad = bad

    async def count(self, exchange: Exchange) -> bool:
        """Counts a request with a good key, and tells whether it did. `exchange.proof` is then that key.

        Without a key, and for a bad one, the caller counts the address. `exchange.proof` of a bad key is its refusal.
        Raises RateLimited, and DatabaseUnavailable if the key cannot be looked up: then nothing is counted.
        """
        text = exchange.header("x-api-key")
        if text is None or not text.startswith(API_KEY_PREFIX):
            return False
        key = self._lookup.recall(hash_of(text))
        if key is None:
            key = await self._ask(read_key(text), network_of(exchange.client_ip), exchange)
        exchange.proof = key or InvalidApiKey()
        if key is None:
            return False
        await self._good.count(exchange, key.id)
        return True

    async def _ask(self, presented: PresentedKey | None, address: str, exchange: Exchange) -> ApiKey | None:
        if await self._bad.is_spent(address):
            # Counted once more, for the headers of the refusal.
            await self._bad.count(exchange, address)
        key = await self._lookup.find(presented) if presented else None
        if key is None:
            await self._bad.note(address)
        return key
