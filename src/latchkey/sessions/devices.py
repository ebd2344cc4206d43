"""Names the device of a user agent, with the rules of ua-parser. They know thousands and are updated monthly."""

import asyncio
from functools import lru_cache


@lru_cache(maxsize=1024)
def device_name(user_agent: str | None) -> str | None:
    """Returns a short readable name, such as `Firefox on Ubuntu`, or None if the user agent is missing or unknown."""
    if not user_agent:
        return None
    # The rules take megabytes and a quarter of a second to load. Commands that show no device skip that.
    import ua_parser

    browser = ua_parser.parse_user_agent(user_agent)
    system = ua_parser.parse_os(user_agent)
    names = [found.family for found in (browser, system) if found is not None]
    return " on ".join(names) or None


def load_rules() -> None:
    """Loads the rules, so that no sign-in waits for them."""
    device_name("nobody")


async def name_device(user_agent: str | None) -> str | None:
    """Does as `device_name` in a thread, so that no client's text can block the event loop."""
    return await asyncio.to_thread(device_name, user_agent)
