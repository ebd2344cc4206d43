"""What a user agent is called: by ua-parser and its rules, which know thousands and are renewed monthly."""

import asyncio
from functools import lru_cache


@lru_cache(maxsize=1024)
def device_name(user_agent: str | None) -> str | None:
    """Returns a short readable form, such as `Firefox on Ubuntu`; None for what is missing or nobody knows."""
    if not user_agent:
        return None
    # Its rules take megabytes and a quarter of a second to load: commands that name nothing do without.
    import ua_parser

    browser = ua_parser.parse_user_agent(user_agent)
    system = ua_parser.parse_os(user_agent)
    names = [found.family for found in (browser, system) if found is not None]
    return " on ".join(names) or None


def load_rules() -> None:
    """Loads the rules, so that no sign-in waits for them."""
    device_name("nobody")


async def name_device(user_agent: str | None) -> str | None:
    """As `device_name`, in a thread: what a client sends never holds the event loop up."""
    return await asyncio.to_thread(device_name, user_agent)
