"""/dev/mailbox: the mails of a development server, as their recipients see them. Only `latchkey dev` has it."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from starlette.responses import Response

from latchkey.http.endpoint import Call, Endpoint, Reply
from latchkey.http.exchange import answer_header
from latchkey.mail.mailbox import Delivered, Mailbox

PAGE = Path(__file__).parent / "mailbox_page.html"

# Mails carry styles in attributes, and their frames inherit this policy. It allows no script, no form and no request.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_LINK = re.compile(r"https?://[^\s<>\"]+#token=[0-9a-f]+")


def mailbox_endpoints(mailbox: Mailbox) -> list[Endpoint[Any]]:
    """Returns the endpoint of the page. For development only: it shows the secrets in mails to every visitor."""
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(PAGE.read_text(encoding="utf-8"))
    headers = [answer_header("Content-Security-Policy", POLICY), answer_header("Cache-Control", "no-store")]

    async def show(_: Call[None]) -> Reply:
        mails = [_shown(delivered) for delivered in mailbox.newest_first()]
        response = Response(template.render(mails=mails), media_type="text/html; charset=utf-8")
        response.raw_headers.extend(headers)
        return Reply(response=response)

    return [
        Endpoint(
            method="GET",
            path="/dev/mailbox",
            handler=show,
            summary="Mails sent by this development server",
            documented=False,
            loopback_only=True,
            touches_database=False,
        )
    ]


def _shown(delivered: Delivered) -> dict[str, Any]:
    mail = delivered.mail
    return {
        "to": mail.to,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "time": f"{datetime.fromtimestamp(delivered.at, UTC):%H:%M:%S} UTC",
        "links": _LINK.findall(mail.text),
    }
