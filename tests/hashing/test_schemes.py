"""Hashes of other programs: those that the programs themselves have made match, and costly or broken ones are refused."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from latchkey.hashing.schemes import parse_hash
from latchkey.hashing.stored_hash import HashRefused

PASSWORD = b"Secret123!"
LONG = b"correct horse battery staple " * 4
B64_32, B64_64, HEX_32 = "A" * 43, "A" * 86, "0" * 64
MADE = {
    "PBKDF2-SHA256 of passlib": "$pbkdf2-sha256$1000$uleqtVbqndP6PyfkHIPwvg$eR6Fyxkprd6C5NfPmZek4FhZ/3WPn.F.QPU/I/xzMpE",
    "PBKDF2-SHA512 of passlib": (
        "$pbkdf2-sha512$1000$EeLcW0sJASCkNOY8p7T2/g"
        "$cSXPJ9DF2VwUpto0RWYLc466bReB02eojnlXgzEvJ2/MWpGXOaprTFy0CmOjMqVpsp2XTWUp3R8WAgJqItZmRg"
    ),
    "PBKDF2 of PHC": "$pbkdf2-sha256$i=1000,l=32$uleqtVbqndP6PyfkHIPwvg$eR6Fyxkprd6C5NfPmZek4FhZ/3WPn+F+QPU/I/xzMpE",
    "scrypt of passlib": "$scrypt$ln=10,r=8,p=1$rJVSipHy/j/H2Lv33hvD2A$SV81Pfn1dRwwPbQxRpa0M5aPe0LPC5G9u9UaZTyMRbk",
    "PBKDF2 of Werkzeug": (
        "pbkdf2:sha256:1000$gS3EhjiMdqNlw1eH$e27c52bdc1e22b81079313a270453385d299074c2a440bc9a3369d84bf73061d"
    ),
    "PBKDF2-SHA512 of Werkzeug": (
        "pbkdf2:sha512:1000$N9YMoRfZXsbVFBm5$a9effb5df52362783d967bffbce103a485258b6b3697ead5a7daf030dbf2caaa"
        "bc8b9384b39da9f85337a5845a4f2be268e07fcf0999da5c11447fedc4446129"
    ),
    "scrypt of Werkzeug": (
        "scrypt:32768:8:1$XMxpZd9MxbPvhTTg$a88414711a04211762bf522e4433f96ee510c1ba4b5fd7ca7d8a1a5555c64a41"
        "76516d8f5106787b8423dca55b349c28e683e8fc45d9e91736776b00dcd3956e"
    ),
    "argon2id": "$argon2id$v=19$m=1024,t=1,p=2$U0OcvlWDSGsmPckIqbHCuQ$Uv8av0jJ9q5Ds8mlkeq0FPla/zxFNlsUl1PoBFLslNc",
    "argon2i": "$argon2i$v=19$m=1024,t=1,p=1$439CMnJSglshqsL+WMvC4w$VYT5v7E2Ek3XU5H75Z0TbU1eMQ6HOLb6xS2ii3CDnaU",
    "PBKDF2 of Django": "pbkdf2_sha256$1000$seasalt$cR5zO51kEpfDHRAoxhgX1t7S61sDrllM6vVT/3y8rN8=",
    "scrypt of Django": (
        "scrypt$1024$seasalt2$8$5"
        "$X7yeZVYyQokzZZfgLR2ByATO62dBH7XWed+sLfR3F6XRaF9LuBu0yuBECV+DbtSpRDM2HiyoZnKiAhEgfsMXFg=="
    ),
    "bcrypt_sha256 of Django": "bcrypt_sha256$$2b$04$XLZRHtrN6Aw8ZZkxi0Ab2OwS4o41yytSfmXK4o419Tvt9fByL.dFa",
    "argon2 of Django": "argon2$argon2id$v=19$m=1024,t=1,p=8$c2Vhc2FsdDI$0x0EDEuTfmUgUEVdEicQQI+2etfbtFENXXjKt+BJ+gw",
}
AT_THE_BOUND = {
    "bcrypt": "$2b$16$" + "." * 53,
    "bcrypt_sha256": "bcrypt_sha256$$2b$16$" + "." * 53,
    "argon2id": f"$argon2id$v=19$m=131072,t=10,p=4$c29tZXNhbHQ${B64_32}",
    "argon2 of Django": f"argon2$argon2id$v=19$m=102400,t=2,p=8$c29tZXNhbHQ${B64_32}",
    "scrypt": f"$scrypt$ln=16,r=8,p=4$c2FsdA${B64_32}",
    "scrypt of Django": f"scrypt$16384$salt$8$5${B64_64}==",
    "scrypt of Werkzeug": f"scrypt:65536:8:4$salt${HEX_32}",
    "PBKDF2": f"$pbkdf2-sha512$i=2000000$c2FsdA${B64_64}",
    "PBKDF2 of Django": f"pbkdf2_sha256$2000000$salt${B64_32}=",
}
REFUSED = {
    "bcrypt with 17 rounds": ("$2b$17$" + "." * 53, "17 rounds"),
    "bcrypt_sha256 with 17 rounds": ("bcrypt_sha256$$2b$17$" + "." * 53, "17 rounds"),
    "argon2 memory": (f"$argon2id$v=19$m=131073,t=1,p=1$c29tZXNhbHQ${B64_32}", "m=131073"),
    "argon2 passes": (f"$argon2id$v=19$m=1024,t=11,p=1$c29tZXNhbHQ${B64_32}", "t=11"),
    "argon2 lanes": (f"$argon2id$v=19$m=1024,t=1,p=9$c29tZXNhbHQ${B64_32}", "p=9"),
    "argon2 with huge numbers": (f"$argon2id$v=19$m=9999999999,t=1,p=1$c29tZXNhbHQ${B64_32}", "m=9999999999"),
    "argon2 without passes": (f"$argon2id$v=19$m=1024,t=0,p=1$c29tZXNhbHQ${B64_32}", "t=0"),
    "argon2d": (f"$argon2d$v=19$m=1024,t=1,p=1$c29tZXNhbHQ${B64_32}", "argon2id or argon2i"),
    "an old argon2": (f"$argon2id$v=16$m=1024,t=1,p=1$c29tZXNhbHQ${B64_32}", "version 19"),
    "a short salt of argon2": (f"$argon2id$v=19$m=1024,t=1,p=1$c2FsdA${B64_32}", "salt of 4 bytes"),
    "scrypt memory": (f"$scrypt$ln=17,r=8,p=1$c2FsdA${B64_32}", "n=131072"),
    "scrypt lanes": (f"$scrypt$ln=16,r=8,p=5$c2FsdA${B64_32}", "p=5"),
    "scrypt blocks": (f"$scrypt$ln=10,r=33,p=1$c2FsdA${B64_32}", "r=33"),
    "scrypt with huge numbers": (f"$scrypt$ln=99,r=8,p=1$c2FsdA${B64_32}", "at most 64 MiB"),
    "scrypt with another n": (f"scrypt:1000:8:1$salt${HEX_32}", "no power of 2"),
    "scrypt of nothing": (f"scrypt:0:8:1$salt${HEX_32}", "no power of 2"),
    "PBKDF2 iterations": (f"pbkdf2_sha256$2000001$salt${B64_32}=", "2000001 iterations"),
    "PBKDF2 without iterations": (f"pbkdf2:sha256$salt${HEX_32}", "not a whole PBKDF2"),
    "PBKDF2 with SHA-1": ("pbkdf2_sha1$1000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "SHA-256 or SHA-512"),
    "a short digest": ("pbkdf2_sha256$1000$salt$AAAA", "has 3 bytes"),
    "broken base64": ("pbkdf2_sha256$1000$salt$" + "A" * 45, "damaged"),
    "a salt with a zero byte": ("pbkdf2_sha256$1000$sa\0lt$" + B64_32, "not a whole PBKDF2"),
    "a salt of other characters": (f"scrypt:1024:8:1$s\u00e4lt${HEX_32}", "not a whole scrypt"),
    "MD5": ("5f4dcc3b5aa765d61d8327deb882cf99", "MD5 or SHA"),
    "MD5 of Django": ("md5$salt$5f4dcc3b5aa765d61d8327deb882cf99", "MD5 or SHA"),
    "SHA-1 of Django": ("sha1$salt$5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8", "MD5 or SHA"),
    "SHA-256": ("5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8", "MD5 or SHA"),
    "SHA-512 of crypt": ("$6$rounds=5000$usesomesillystri$" + "x" * 86, "MD5 or SHA"),
    "SSHA of LDAP": ("{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr", "MD5 or SHA"),
    "plain text": ("Secret123!", "no known form"),
    "nothing": ("", "no known form"),
    "a long text": ("$argon2id$" + "A" * 300, "at most 255"),
}


@pytest.mark.parametrize("stored", MADE.values(), ids=MADE)
def test_matches_the_password_alone(stored: str) -> None:
    parsed = parse_hash(stored)
    assert parsed.matches(PASSWORD, truncated=False)
    assert not parsed.matches(PASSWORD + b"!", truncated=False)
    assert not parsed.matches(b"", truncated=False)
    stand_in = parsed.stand_in()
    assert not stand_in.matches(PASSWORD, truncated=False)
    assert stand_in == parse_hash(stored).stand_in()


@pytest.mark.parametrize("stored", AT_THE_BOUND.values(), ids=AT_THE_BOUND)
def test_takes_the_costliest(stored: str) -> None:
    parsed = parse_hash(stored)
    assert parsed.stand_in() == parsed.stand_in().stand_in()


@pytest.mark.parametrize(("stored", "reason"), REFUSED.values(), ids=REFUSED)
def test_refuses_and_says_why(stored: str, reason: str) -> None:
    with pytest.raises(HashRefused) as refused:
        parse_hash(stored)
    assert reason in str(refused.value)


def test_a_long_password_counts_whole() -> None:
    """Other schemes read all of it."""
    stored = "$pbkdf2-sha256$1000$1hpjrHXO2VurdW6tFUJo7Q$Rr0NyMA9tPioKoEDfyeLcyRlgdOU61VLg.ZzFuwtkfo"
    assert parse_hash(stored).matches(LONG, truncated=False)
    assert not parse_hash(stored).matches(LONG[:72], truncated=False)


@given(st.text(max_size=300) | st.builds(lambda at, text: MADE["argon2id"][:at] + text, st.integers(0, 99), st.text()))
@example("$argon2id$v=19$m=٣,t=1,p=1$c29tZXNhbHQ$" + "A" * 43)
@example("scrypt:٣:8:1$salt$" + "0" * 64)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with suppress(HashRefused):
        parse_hash(text)
