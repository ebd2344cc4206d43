"""Refuses passwords that attackers guess first (NIST SP 800-63B section 3.1.1.2; ASVS 5.0 6.2.4).

Royce Williams gathered the list of nearly 20 000 passwords from leaks. Django ships the same list (BSD licence).
"""

import gzip
from functools import cache
from pathlib import Path

COMMON = "is one of the most common passwords; choose another"
OWN = "must not be your own name or address, also with a few characters added"
PADDING_MAX = 4
WORD_MIN = 3
LIST = Path(__file__).with_name("common_passwords.txt.gz")


@cache
def _common() -> frozenset[str]:
    with gzip.open(LIST, "rt", encoding="utf-8") as lines:
        return frozenset(line.strip() for line in lines)


def is_common(password: str) -> bool:
    """Tells whether the password is on the list, in any case."""
    return password.lower() in _common()


def is_own(password: str, name: str, email: str) -> bool:
    """Tells whether the password is the account's name or address, a part of either, or one of these with up to four
    more characters, such as a year (ASVS 5.0 6.2.11).

    Ignores case.
    """
    guess = password.casefold()
    local, _, host = email.casefold().partition("@")
    words = {email.casefold(), local, host, name.casefold(), "".join(name.casefold().split()), *name.casefold().split()}
    return any(len(guess) - len(word) <= PADDING_MAX for word in words if len(word) >= WORD_MIN and word in guess)
