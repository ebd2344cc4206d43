"""Visible characters: a name needs at least one."""

import re
import unicodedata

# Default_Ignorable_Code_Point of the Unicode Character Database (DerivedCoreProperties.txt): fillers, joiners, variation
# selectors, tags, and the ranges reserved for more.
_IGNORABLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    r"\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Blank, though their categories are those of letters and symbols: the empty Braille cell, the object replacement
# character, the null notehead, and two hieroglyphs for space.
_BLANK = r"\u2800\ufffc\U0001d159\U00013441\U00013442"
_NONCHARACTERS = r"\ufdd0-\ufdef" + "".join(f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(17))
_UNSEEN = re.compile(f"[{_IGNORABLE}{_BLANK}{_NONCHARACTERS}]")
# Controls, formats, separators, and marks that need a base character. Unassigned code points count as visible: they may
# be letters of a newer Unicode version than Python's. So do private ones, which some fonts use for rare letters.
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"})


def is_visible(character: str) -> bool:
    """Tells whether a character is visible by itself."""
    return unicodedata.category(character) not in _UNSEEN_CATEGORIES and not _UNSEEN.fullmatch(character)
