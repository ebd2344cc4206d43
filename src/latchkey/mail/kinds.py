"""A kind of mail: its name, the directory of its templates, and their variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class MailKind:
    """A mail that can be sent, from `name`.txt and `name`.html in the directory `templates`.

    `samples` are the variables that its composer gives, with values that the templates are tried with.
    """

    name: str
    templates: Path
    samples: Mapping[str, str]


ACCOUNT_SAMPLES = {"email": "siam@example.com", "name": "Siam"}
LINK_SAMPLES = {"link": "https://accounts.example.com/page#token=0123"}
NOTICE_SAMPLES = {"email": "siam@example.com", "time": "2026-01-02 03:04 UTC", "ip": "192.0.2.1"}
"""What `mail.notices` gives every notice."""

MORE_NOTICES = MailKind(
    "more-notices", Path(__file__).parent / "mails", {**NOTICE_SAMPLES, "about": "password-changed"}
)
"""In place of the notices of one kind, `about`, that are too many."""
