"""Keys in the JWKS that must not be used. Each token is genuine by the key that its ``kid`` names."""

from ..forge import Case, Mint, b64, number, private_key, public_jwk, unb64

KID = "trap"


def jwk_of(alg, key, changes=None):
    changes = {name: value(key) if callable(value) else value for name, value in (changes or {}).items()}
    jwk = {**public_jwk(key), "kid": KID, "alg": alg, "use": "sig", **changes}
    return {name: value for name, value in jwk.items() if value is not ...}


def _trap(name, alg, key, changes, reason="unknown_kid"):
    """Return the case of one key whose JWK is changed, and of a token that the key signed."""
    return Case(
        f"key: {name}",
        reason,
        lambda mint: f"Bearer {Mint(alg, key(), KID).token}",
        jwks=lambda mint: [jwk_of(alg, key(), changes)],
    )


def ec_key():
    return private_key("ES256", "trap")


def rsa_key():
    return private_key("rsa2048", "trap")


def ed_key():
    return private_key("ed", "trap")


#: The keys that the traps are made of do work where nothing is wrong with them.
SOUND = {"ES256": ec_key, "RS256": rsa_key, "PS256": rsa_key, "EdDSA": ed_key}


def _privates(*names):
    """Return the private members of an RSA key."""
    numbers = rsa_key().private_numbers()
    members = {"d": numbers.d, "p": numbers.p, "q": numbers.q}
    members |= {"dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp}
    return {name: number(members[name]) for name in names}


USES = {
    "use enc": {"use": "enc"},
    "use in capitals": {"use": "SIG"},
    "use empty": {"use": ""},
    "use a list": {"use": ["sig"]},
    "use unknown": {"use": "tls"},
    "use enc and key_ops verify": {"use": "enc", "key_ops": ["verify"]},
    "key_ops sign": {"use": ..., "key_ops": ["sign"]},
    "key_ops encrypt": {"key_ops": ["encrypt", "wrapKey"]},
    "key_ops empty": {"key_ops": []},
    "key_ops a string": {"key_ops": "verify"},
    "key_ops an object": {"key_ops": {"verify": True}},
    "key_ops in capitals": {"key_ops": ["VERIFY"]},
    "alg none": {"alg": "none"},
    "alg empty": {"alg": ""},
    "alg a list": {"alg": ["ES256"]},
    "alg of a secret": {"alg": "HS256"},
    "alg of encryption": {"alg": "ECDH-ES"},
    "alg of RSA on an EC key": {"alg": "RS256"},
    "alg of another curve": {"alg": "ES384"},
    "kty in small letters": {"kty": "ec"},
    "kty missing": {"kty": ...},
    "kty of another family": {"kty": "RSA"},
    "kty OKP on an EC key": {"kty": "OKP"},
    "kty oct": {"kty": "oct"},
    "crv missing": {"crv": ...},
    "crv of another case": {"crv": "p-256"},
    "crv of another curve": {"crv": "P-384", "alg": "ES384"},
    "kid a number": {"kid": 5},
    "x missing": {"x": ...},
    "x a number": {"x": 5},
    "x null": {"x": None},
    "x empty": {"x": ""},
    "x not ASCII": {"x": "\u00fc"},
    "point at zero": {"x": number(0, 32), "y": number(0, 32)},
    "point with x and y swapped": {"x": lambda k: public_jwk(k)["y"], "y": lambda k: public_jwk(k)["x"]},
    "point not on the curve": {"y": lambda k: _next(public_jwk(k)["y"])},
    "EC private key": {"d": lambda k: number(k.private_numbers().private_value, 32)},
    "EC private key that is null": {"d": None},
    "certificate only": {"x": ..., "y": ..., "crv": ..., "x5c": ["AAAA"]},
    "address only": {"x": ..., "y": ..., "crv": ..., "x5u": "https://attacker.example/cert.pem"},
}


def _next(coordinate):
    return number(int.from_bytes(unb64(coordinate), "big") ^ 1, 32)


RSA_CHANGES = {
    "use enc on RSA": {"use": "enc"},
    "RSA-OAEP": {"alg": "RSA-OAEP"},
    "RSA with a curve": {"crv": "P-256"},
    "RSA for PS256 only, asked for RS256": {"alg": "PS256"},
    "RSA exponent zero": {"e": "AA"},
    "RSA exponent one": {"e": "AQ"},
    "RSA exponent two": {"e": "Ag"},
    "RSA exponent even": {"e": "AQAA"},
    "RSA exponent missing": {"e": ""},
    "RSA exponent beyond the modulus": {"e": lambda k: number(k.public_key().public_numbers().n + 2)},
    "RSA modulus missing": {"n": ...},
    "RSA modulus empty": {"n": ""},
    "RSA modulus a number": {"n": 5},
    "RSA certificate only": {"n": ..., "e": ..., "x5c": ["AAAA"]},
    "RSA private key": {"d": lambda k: _privates("d")["d"]},
    "RSA whole private key": {n: lambda k, n=n: _privates(n)[n] for n in ("d", "p", "q", "dp", "dq", "qi")},
    "RSA key with its primes": {n: lambda k, n=n: _privates(n)[n] for n in ("p", "q")},
    "RSA key with one prime": {"p": lambda k: _privates("p")["p"]},
    "RSA key with more primes": {"oth": [{"r": "AQ", "d": "AQ", "t": "AQ"}]},
    "RSA key with a CRT exponent": {"dp": lambda k: _privates("dp")["dp"]},
    "RSA key with a secret": {"k": "AAAA"},
}


def _long_modulus(key):
    return number(key.public_key().public_numbers().n, 256)


EXPECTED = {"RSA for PS256 only, asked for RS256": "wrong_algorithm"}
TRAPS = [_trap(name, "ES256", ec_key, changes) for name, changes in USES.items()]
TRAPS += [_trap(n, "RS256", rsa_key, c, EXPECTED.get(n, "unknown_kid")) for n, c in RSA_CHANGES.items()]
TRAPS += [
    _trap("Ed25519 private key", "EdDSA", ed_key, {"d": lambda k: b64(k.private_bytes_raw())}),
    _trap("Ed25519 as an EC key", "EdDSA", ed_key, {"kty": "EC"}),
    _trap("Ed25519 called X25519", "EdDSA", ed_key, {"crv": "X25519"}),
    _trap("Ed25519 cut by a byte", "EdDSA", ed_key, {"x": lambda k: public_jwk(k)["x"][:-2]}),
    _trap("RSA of 1024 bits", "RS256", lambda: private_key("rsa1024"), {}),
    _trap("RSA of 2047 bits", "RS256", lambda: private_key("rsa2047"), {}),
    _trap("RSA of 1024 bits for PS256", "PS256", lambda: private_key("rsa1024"), {}),
    _trap("RSA of 1024 bits after zero bytes", "RS256", lambda: private_key("rsa1024"), {"n": _long_modulus}),
]

CASES = TRAPS
