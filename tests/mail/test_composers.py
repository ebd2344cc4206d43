"""Every declared mail needs a composer."""

import pytest

from latchkey.app import MAIL_KINDS
from latchkey.audit.record import AuditLog
from latchkey.database.pool import open_database
from latchkey.keys import Secret
from latchkey.mail.notices import compose_notice
from latchkey.mail.outbox import Outbox
from latchkey.mail.templates import Templates
from latchkey.mail.tokens import MailTokens
from latchkey.mail.worker import MailWorker

UNREACHABLE = "postgresql://nobody@127.0.0.1:1/nothing"


async def test_a_mail_without_a_composer_is_an_error_at_the_start() -> None:
    database = await open_database(UNREACHABLE, production=False)
    composers = {kind.name: compose_notice for kind in MAIL_KINDS if kind.name != "invitation"}
    with pytest.raises(ValueError, match="composer for the mail invitation"):
        MailWorker(
            database,
            Outbox(database),
            AuditLog(database, required=True),
            composers,
            MailTokens(Secret("secret")),
            Templates(MAIL_KINDS, None, base_url="https://accounts.example.com"),
            None,
            host="accounts.example.com",
        )
    await database.close()
