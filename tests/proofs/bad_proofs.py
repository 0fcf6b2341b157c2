"""Proofs that are refused, by name: how the forge makes each, and for which reason it is refused."""

import base64
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from .forge import URL, ago, encode

FIELD, OF_ORDER_8 = 2**255 - 19, 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
#: With the fingerprint of CVE-2017-15361, made as tests/jws/test_key_set.py says.
_PRIMES = [n for n in range(3, 168) if all(n % divisor for divisor in range(2, n))]
_PRODUCT = 1
for _prime in _PRIMES:
    _PRODUCT *= _prime
ROCA_MODULUS = _PRODUCT * (2**2047 // _PRODUCT + 1) + pow(65537, 12345, _PRODUCT)


def _ed25519(y):
    return {"kty": "OKP", "crv": "Ed25519", "x": encode(y.to_bytes(32, "little"))}


def _rsa(modulus, exponent=65537, length=256):
    return {"kty": "RSA", "n": encode(modulus.to_bytes(length, "big")), "e": encode(exponent.to_bytes(3, "big"))}


def _with_header(**replaced):
    return lambda forge: forge.signed(header=forge.header(**replaced))


def _with_jwk(*without, **replaced):
    return lambda forge: forge.signed(header=forge.header(jwk=forge.jwk(*without, **replaced)))


def _with_fault(**faults):
    return lambda forge: forge.proof(**faults)


def _segments(forge, **replaced):
    """The segments of a good proof by their names in JSON serialization, some replaced."""
    return {**dict(zip(("protected", "payload", "signature"), forge.parts(), strict=True)), **replaced}


def _joined(forge, **replaced):
    return ".".join(_segments(forge, **replaced).values())


def _padded(forge, part):
    """The proof with padding after one of its segments."""
    segments = forge.parts()
    segments[part] += "="
    return ".".join(segments)


def _on_another_header(forge):
    return _joined(forge, protected=encode(json.dumps(forge.header(extra=1)).encode()))


def _unused_bits(forge):
    """Another spelling of the last character: the same bytes to a decoder that is not strict."""
    proof = forge.proof()
    return proof[:-1] + chr(ord(proof[-1]) + 1)


def _der_signature(forge):
    def change(raw):
        return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))

    return forge.with_signature(change)


def _hash(forge):
    return hashlib.sha256(forge.token.encoded.encode())


NOT_ONE_PROOF = {
    "empty header": lambda forge: "",
    "blank header": lambda forge: " ",
    "a word": lambda forge: "proof",
    "one segment": lambda forge: forge.parts()[0],
    "two segments": lambda forge: ".".join(forge.parts()[:2]),
    "four segments": lambda forge: forge.proof() + ".e30",
    "five segments": lambda forge: forge.proof() + ".e30.e30",
    "final dot": lambda forge: forge.proof() + ".",
    "leading blank": lambda forge: " " + forge.proof(),
    "final blank": lambda forge: forge.proof() + " ",
    "final line break": lambda forge: forge.proof() + "\n",
    "quoted": lambda forge: f'"{forge.proof()}"',
    "scheme in front": lambda forge: "DPoP " + forge.proof(),
    "not ASCII": lambda forge: forge.proof() + "é",
    "padding after the header": lambda forge: _padded(forge, 0),
    "padding after the payload": lambda forge: _padded(forge, 1),
    "padding after the signature": lambda forge: _padded(forge, 2),
    "unused bits of the signature": _unused_bits,
    "standard base64": lambda forge: forge.proof().replace("-", "+").replace("_", "/") + "+",
    "no header segment": lambda forge: "." + ".".join(forge.parts()[1:]),
    "two headers": lambda forge: f"{forge.proof()},{forge.proof()}",
    "two headers with a blank": lambda forge: f"{forge.proof()}, {forge.proof()}",
    "the same header twice": lambda forge: ",".join([forge.proof()] * 2),
    "a header and an empty one": lambda forge: forge.proof() + ",",
    "too long": lambda forge: forge.signed(header=forge.header(extra="x" * 8192)),
    "JSON serialization": lambda forge: json.dumps(_segments(forge)),
    "the token": lambda forge: forge.token.encoded,
}

HEADERS = {
    "header is no JSON": lambda forge: forge.signed(header=b"{"),
    "header is an array": lambda forge: forge.signed(header=[forge.header()]),
    "header is null": lambda forge: forge.signed(header=b"null"),
    "header with alg twice": lambda forge: forge.signed(
        header=json.dumps(forge.header()).encode().replace(b"{", b'{"alg": "ES256", ', 1)
    ),
    "jwk with kty twice": lambda forge: forge.signed(
        header=json.dumps(forge.header()).encode().replace(b'"jwk": {', b'"jwk": {"kty": "EC", ', 1)
    ),
    "header in UTF-16": lambda forge: forge.signed(header=json.dumps(forge.header()).encode("utf-16")),
    "no typ": _with_fault(typ=None),
    "typ null": _with_header(typ=None),
    "typ a number": _with_header(typ=1),
    "typ an array": _with_header(typ=["dpop+jwt"]),
    "typ of a JWT": _with_header(typ="JWT"),
    "typ of an access token": _with_header(typ="at+jwt"),
    "typ with a blank": _with_header(typ="dpop+jwt "),
    "typ dpop": _with_header(typ="dpop"),
    "no alg": _with_fault(alg=None),
    "alg null": _with_header(alg=None),
    "alg a number": _with_header(alg=256),
    "alg none": _with_header(alg="none"),
    "alg in lower case": _with_header(alg="es256"),
    "alg HS256": _with_header(alg="HS256"),
    "alg of another curve": _with_header(alg="ES384"),
    "alg of RSA": _with_header(alg="RS256"),
    "alg EdDSA": _with_header(alg="EdDSA"),
    "alg ES256K": _with_header(alg="ES256K"),
    "alg unknown": _with_header(alg="ES257"),
    "crit": _with_header(crit=["exp"]),
    "crit empty": _with_header(crit=[]),
    "crit null": _with_header(crit=None),
    "crit of a known parameter": _with_header(crit=["jwk"]),
    "b64": _with_header(b64=False),
    "jku beside jwk": _with_header(jku="https://client.example.com/jwks"),
    "x5u beside jwk": _with_header(x5u="https://client.example.com/cert"),
    "x5c beside jwk": _with_header(x5c=["MII"]),
    "kid a number": _with_header(kid=1),
    "kid null": _with_header(kid=None),
}

KEYS = {
    "no jwk": _with_fault(jwk=None),
    "jwk null": _with_header(jwk=None),
    "jwk a string": _with_header(jwk="key"),
    "jwk a number": _with_header(jwk=1),
    "jwk true": _with_header(jwk=True),
    "jwk an array": lambda forge: forge.signed(header=forge.header(jwk=[forge.jwk()])),
    "jwk empty": _with_header(jwk={}),
    "a JWKS": lambda forge: forge.signed(header=forge.header(jwk={"keys": [forge.jwk()]})),
    **{f"jwk without {name}": _with_jwk(name) for name in ("kty", "crv", "x", "y")},
    **{f"jwk with {name} null": _with_jwk(**{name: None}) for name in ("kty", "crv", "x", "y")},
    **{f"jwk with {name} a number": _with_jwk(**{name: 1}) for name in ("kty", "crv", "x", "y", "alg", "use", "kid")},
    **{f"private member {name}": _with_jwk(**{name: "AQAB"}) for name in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")},
    "private member null": _with_jwk(d=None),
    "symmetric key": _with_header(alg="HS256", jwk={"kty": "oct", "k": encode(b"secret" * 8)}),
    "symmetric key with ES256": _with_header(jwk={"kty": "oct", "k": encode(b"secret" * 8)}),
    "kty oct with the members of EC": _with_jwk(kty="oct"),
    "kty in lower case": _with_jwk(kty="ec"),
    "curve secp256k1": _with_jwk(crv="secp256k1"),
    "curve P-384 with the point of P-256": _with_jwk(crv="P-384"),
    "point that is not on the curve": lambda forge: forge.signed(
        header=forge.header(jwk={**forge.jwk(), "y": forge.jwk()["x"]})
    ),
    "point at zero": _with_jwk(x="A" * 43, y="A" * 43),
    "coordinate with padding": lambda forge: forge.signed(header=forge.header(jwk=forge.jwk(x=forge.jwk()["x"] + "="))),
    "coordinate with zeros in front": lambda forge: forge.signed(
        header=forge.header(jwk=forge.jwk(x=encode(b"\0" + base64.urlsafe_b64decode(forge.jwk()["x"] + "="))))
    ),
    "coordinate with a line break": lambda forge: forge.signed(
        header=forge.header(jwk=forge.jwk(x=forge.jwk()["x"][:9] + "\n" + forge.jwk()["x"][9:]))
    ),
    "use enc": _with_jwk(use="enc"),
    "key_ops sign": _with_jwk(key_ops=["sign"]),
    "alg in jwk is another": _with_jwk(alg="ES384"),
    "X25519": _with_header(alg="EdDSA", jwk={"kty": "OKP", "crv": "X25519", "x": encode(b"x" * 32)}),
    "Ed25519 of 31 bytes": _with_header(alg="EdDSA", jwk={"kty": "OKP", "crv": "Ed25519", "x": encode(b"x" * 31)}),
    "Ed25519 point 0": _with_header(alg="EdDSA", jwk=_ed25519(0)),
    "Ed25519 point 1": _with_header(alg="EdDSA", jwk=_ed25519(1)),
    "Ed25519 point of order 8": _with_header(alg="Ed25519", jwk=_ed25519(OF_ORDER_8)),
    "Ed25519 point of order 8 beyond the field": _with_header(alg="Ed25519", jwk=_ed25519(FIELD + 1)),
    "RSA of 1024 bits": _with_header(alg="RS256", jwk=_rsa(2**1023 + 1155, length=128)),
    "RSA with the fingerprint of ROCA": _with_header(alg="PS256", jwk=_rsa(ROCA_MODULUS)),
    "RSA without e": _with_header(alg="RS256", jwk={"kty": "RSA", "n": encode(b"\xc5" * 256)}),
    "RSA with a zero in front": _with_header(alg="RS256", jwk=_rsa(2**2047 + 1155, length=257)),
    "RSA with a private exponent": _with_header(alg="RS256", jwk={**_rsa(2**2047 + 1155), "d": "AQAB"}),
}

SIGNATURES = {
    "no signature": lambda forge: _joined(forge, signature=""),
    "no payload segment": lambda forge: _joined(forge, payload=""),
    "signed by another key": lambda forge: forge.proof(signed_by=forge.other),
    "of another payload": lambda forge: _joined(forge, payload=encode(json.dumps(forge.claims()).encode())),
    "of another header": _on_another_header,
    "one bit changed": lambda forge: forge.with_signature(lambda raw: raw[:-1] + bytes([raw[-1] ^ 1])),
    "in DER": _der_signature,
    "one byte short": lambda forge: forge.with_signature(lambda raw: raw[:-1]),
    "one byte long": lambda forge: forge.with_signature(lambda raw: raw + b"\0"),
    "all zeros": lambda forge: forge.with_signature(lambda raw: bytes(64)),
    "r and s exchanged": lambda forge: forge.with_signature(lambda raw: raw[32:] + raw[:32]),
}

PAYLOADS = {
    "payload is no JSON": lambda forge: forge.signed(payload=b"claims"),
    "payload is an array": lambda forge: forge.signed(payload=[forge.claims()]),
    "payload is a string": lambda forge: forge.signed(payload=b'"claims"'),
    "payload is empty": lambda forge: forge.signed(payload=b""),
    "payload with jti twice": lambda forge: forge.signed(
        payload=json.dumps(forge.claims()).encode().replace(b"{", b'{"jti": "x", ', 1)
    ),
    "payload with NaN": lambda forge: forge.signed(payload=json.dumps(forge.claims(iat=float("nan"))).encode()),
    "payload with Infinity": lambda forge: forge.signed(payload=json.dumps(forge.claims(iat=float("inf"))).encode()),
    "payload with a lone surrogate": lambda forge: forge.signed(payload=forge.claims(jti="\ud800")),
    "iat of thousands of digits": lambda forge: forge.signed(
        payload=json.dumps(forge.claims(iat=0)).encode().replace(b'"iat": 0', b'"iat": ' + b"9" * 5000)
    ),
    **{f"no {name}": _with_fault(**{name: None}) for name in ("jti", "htm", "htu", "iat", "ath")},
    **{
        f"{name} {value!r}": lambda forge, name=name, value=value: forge.signed(payload=forge.claims(**{name: value}))
        for name in ("jti", "htm", "htu", "ath")
        for value in ("", None, 1, True, ["x"], {"x": "x"})
    },
    **{
        f"iat {value!r}": lambda forge, value=value: forge.signed(payload=forge.claims(iat=value))
        for value in ("", "1800000000", None, True, [1800000000], {})
    },
    **{
        f"nonce {value!r}": lambda forge, value=value: forge.signed(payload=forge.claims(nonce=value))
        for value in (None, 1, True, ["x"], {})
    },
}

OTHER_METHODS = {
    f"htm {method!r}": _with_fault(htm=method)
    for method in ("POST", "get", "Get", "GET ", " GET", "HEAD", "GET,POST", "*", "G\u0415T")
}

OTHER_URLS = {
    f"htu {url!r}": _with_fault(htu=url)
    for url in (
        *(
            "https://api.example.org/books/17",
            "https://api.example.com.evil.test/books/17",
            "https://example.com/books/17",
        ),
        *(
            "http://api.example.com/books/17",
            "https://api.example.com:8443/books/17",
            "https://api.example.com:80/books/17",
        ),
        *("https://api.example.com/books/18", "https://api.example.com/books/17/", "https://api.example.com/books"),
        *("https://api.example.com/Books/17", "https://api.example.com//books/17", "https://api.example.com/books//17"),
        *(
            "https://api.example.com/books%2F17",
            "https://api.example.com/books%5C17",
            "https://api.example.com/books/17;",
        ),
        *("https://api.example.com/books/17%3Fpage", "https://api.example.com/books/17%00", "https://api.example.com"),
        *("https://user@api.example.com/books/17", "https://user:secret@api.example.com/books/17"),
        *("https://@api.example.com/books/17", "https://api.example.com@evil.test/books/17"),
        *("/books/17", "//api.example.com/books/17", "api.example.com/books/17", "https:/api.example.com/books/17"),
        *("https:///books/17", "https://", "https:api.example.com/books/17", "ftp://api.example.com/books/17"),
        *("wss://api.example.com/books/17", "javascript:https://api.example.com/books/17", "books/17", "*"),
        *(
            f" {URL}",
            f"{URL} ",
            f"{URL}\n",
            f"{URL}\t",
            "https://api.example.com/books\\17",
            "https:\\\\api.example.com/books/17",
        ),
        *(
            "https://api.example.com/books/%317%",
            "https://api.example.com/books/%3",
            "https://api.example.com/books/%zz",
        ),
        *(
            "https://api.example.com./books/17",
            "https://api%2Eexample.com/books/17",
            "https://api.ex\u00e4mple.com/books/17",
        ),
        *("https://api.example.com:port/books/17", "https://api.example.com:443443/books/17", "https://[api]/books/17"),
        *(
            "http\u017f://api.example.com/books/17",
            "https://api.example.com/boo\u212as/17",
            f"{URL}?\u00e9",
            f"{URL}#a b",
        ),
        *(f"{URL}/../18", f"{URL}/..", f"{URL},{URL}"),
    )
}

STALE = {
    "made long ago": lambda forge: forge.proof(iat=0),
    "made before time began": lambda forge: forge.proof(iat=-1),
    "made a second too long ago": lambda forge: forge.proof(iat=ago(91)),
    "made a second too far ahead": lambda forge: forge.proof(iat=ago(-31)),
    "a fraction too far ahead": lambda forge: forge.proof(iat=ago(-30) + 0.5),
    "in milliseconds": lambda forge: forge.proof(iat=ago(0) * 1000),
    "beyond all time": lambda forge: forge.proof(iat=10**400),
    "beyond all time, as a fraction": lambda forge: forge.proof(iat=1e300),
    "before all time": lambda forge: forge.proof(iat=-(10**400)),
}

OTHER_TOKENS = {
    "ath of another token": lambda forge: forge.proof(ath=encode(hashlib.sha256(b"other").digest())),
    "ath in hex": lambda forge: forge.proof(ath=_hash(forge).hexdigest()),
    "ath with padding": lambda forge: forge.proof(ath=encode(_hash(forge).digest()) + "="),
    "ath in standard base64": lambda forge: forge.proof(ath=base64.b64encode(_hash(forge).digest()).decode()),
    "ath in lower case": lambda forge: forge.proof(ath=encode(_hash(forge).digest()).lower()),
    "ath cut in half, as of OpenID Connect": lambda forge: forge.proof(ath=encode(_hash(forge).digest()[:16])),
    "ath by SHA-512": lambda forge: forge.proof(ath=encode(hashlib.sha512(forge.token.encoded.encode()).digest())),
    "ath of the scheme, too": lambda forge: forge.proof(
        ath=encode(hashlib.sha256(f"DPoP {forge.token.encoded}".encode()).digest())
    ),
    "ath that is the token": lambda forge: forge.proof(ath=forge.token.encoded),
}

OTHER_KEYS = {
    "by another client": lambda forge: forge.other.headers(forge.token.encoded, "GET", URL)["DPoP"],
    "by another client, with the right key id": lambda forge: forge.other.headers(
        forge.token.encoded, "GET", URL, kid=forge.key.thumbprint
    )["DPoP"],
    "under another jwk": lambda forge: forge.proof(jwk=forge.other.public_jwk),
}

#: By reason: the proofs that are refused for it.
BY_REASON = {
    "malformed_proof": {**NOT_ONE_PROOF, **HEADERS, **KEYS, **SIGNATURES, **PAYLOADS},
    "wrong_proof_method": OTHER_METHODS,
    "wrong_proof_url": OTHER_URLS,
    "stale_proof": STALE,
    "wrong_proof_token": OTHER_TOKENS,
    "wrong_proof_key": OTHER_KEYS,
}
BAD = {f"{reason}: {name}": (make, reason) for reason, named in BY_REASON.items() for name, make in named.items()}
