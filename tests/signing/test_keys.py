"""Key material: signatures that can be repeated, ids by RFC 7638, and one algorithm for a key."""

import json

import pytest
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OctKey, OKPKey

from latchkey.keys import base64url
from latchkey.signing.keys import (
    Algorithm,
    DeterministicES256,
    SigningRegistry,
    generate,
    import_private,
    import_public,
    private_bytes,
    public_jwk,
)

KINDS = {Algorithm.ES256: ECKey, Algorithm.EDDSA: OKPKey}
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
# RFC 6979, A.2.5: P-256 with SHA-256.
D = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
X = "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
Y = "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
SIGNATURES = {
    b"sample": (
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    ),
    b"test": (
        "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
        "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"
    ),
}


def encoded(number: str) -> str:
    """Returns a number in hexadecimal digits as a JWK has it."""
    return base64url(bytes.fromhex(number))


def signed(algorithm: Algorithm, key: object) -> str:
    """Returns a JWS of that key."""
    header = {"alg": algorithm, "kid": "x", "typ": "at+jwt"}
    return jws.serialize_compact(header, b'{"sub":"1"}', key, registry=SigningRegistry(algorithms=[algorithm]))  # type: ignore[arg-type]  # any kind of key


@pytest.mark.parametrize("message", SIGNATURES)
def test_es256_signs_as_rfc_6979_says(message: bytes) -> None:
    key = ECKey.import_key({"kty": "EC", "crv": "P-256", "d": encoded(D), "x": encoded(X), "y": encoded(Y)})
    signature = DeterministicES256().sign(message, key)
    assert signature.hex().upper() == SIGNATURES[message]
    assert DeterministicES256().verify(message, signature, key)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_key_signs_the_same_bytes_after_it_was_stored(algorithm: Algorithm) -> None:
    key = generate(algorithm)
    assert isinstance(key, KINDS[algorithm])
    stored = import_private(private_bytes(key))
    token = signed(algorithm, key)
    assert signed(algorithm, stored) == token
    public = import_public(json.loads(json.dumps(public_jwk(key, algorithm))))
    assert jws.deserialize_compact(token, public, registry=SigningRegistry(algorithms=[algorithm])).payload


@pytest.mark.parametrize("algorithm", Algorithm)
def test_the_public_jwk_has_what_verifiers_need_and_nothing_private(algorithm: Algorithm) -> None:
    key = generate(algorithm)
    jwk = public_jwk(key, algorithm)
    assert (jwk["kid"], jwk["alg"], jwk["use"]) == (key.thumbprint(), algorithm, "sig")
    assert not PRIVATE_MEMBERS & jwk.keys()
    assert not import_public(jwk).is_private


def test_the_kid_is_the_thumbprint() -> None:
    """The example of RFC 8037, appendix A.3."""
    jwk: dict[str, str | list[str]] = {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }
    assert public_jwk(JWKRegistry.import_key(jwk), Algorithm.EDDSA)["kid"] == (
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    )


def test_the_registry_takes_no_other_algorithm() -> None:
    """Nor a key of another kind than the algorithm's."""
    ec, secret = generate(Algorithm.ES256), OctKey.generate_key(256)
    with pytest.raises(JoseError):
        signed(Algorithm.EDDSA, ec)
    with pytest.raises(JoseError):
        signed(Algorithm.EDDSA, OKPKey.generate_key("Ed448"))
    with pytest.raises(JoseError):
        jws.serialize_compact({"alg": "HS256"}, b"", secret, registry=SigningRegistry(algorithms=["HS256"]))
    with pytest.raises(JoseError):
        jws.deserialize_compact(signed(Algorithm.ES256, ec), ec, registry=SigningRegistry(algorithms=["EdDSA"]))


def test_what_is_no_private_key_is_refused() -> None:
    public = public_jwk(generate(Algorithm.ES256), Algorithm.ES256)
    with pytest.raises(ValueError, match="private"):
        import_private(json.dumps(public).encode())
