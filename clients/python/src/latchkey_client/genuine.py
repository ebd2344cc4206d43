"""The tokens whose signature has been verified."""

from collections import OrderedDict
from threading import Lock

from latchkey_client.keys import VerifyingKey
from latchkey_client.tokens import Token

REMEMBERED_MAX = 4096


class GenuineTokens:
    """Remembers tokens whose signature was right, and by which key: a signature costs more than all the rest.

    Remembers nothing else. The caller checks claims, expiry and the session each time.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._keys: OrderedDict[str, VerifyingKey] = OrderedDict()

    def has(self, token: Token, key: VerifyingKey) -> bool:
        """Tells whether the signature is right. Verifies it if it is not remembered for this very key.

        Raises InvalidToken for a malformed one.
        """
        if self._keys.get(token.text) is key:
            return True
        if not key.verifies(token.signed, token.signature()):
            return False
        with self._lock:
            self._keys[token.text] = key
            if len(self._keys) > REMEMBERED_MAX:
                self._keys.popitem(last=False)
        return True
