"""What a user agent is called: by ua-parser and its rules, which know thousands and are renewed monthly."""

from functools import lru_cache


@lru_cache(maxsize=1024)
def device_name(user_agent: str | None) -> str | None:
    """A short readable form, such as `Firefox on Ubuntu`; None for what is missing or nobody knows."""
    if not user_agent:
        return None
    # Its rules take megabytes and a moment to load: only a process that is asked pays for them.
    import ua_parser

    browser = ua_parser.parse_user_agent(user_agent)
    system = ua_parser.parse_os(user_agent)
    names = [found.family for found in (browser, system) if found is not None]
    return " on ".join(names) or None
