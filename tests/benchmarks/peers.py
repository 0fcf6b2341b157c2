"""The peers, each as its documentation says, told to make the checks that we make: exp, iss, aud, algorithm.

What they leave out of these (strict base64url, duplicate members, `typ`, `crit`) is theirs to leave out.
"""

import warnings

import jwt as pyjwt
from jose import jwk as jose_jwk
from jose import jwt as jose_jwt
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet as JoserfcKeySet
from joserfc.jwt import JWTClaimsRegistry

from .issuer import AUDIENCE

with warnings.catch_warnings():
    from authlib import deprecate  # noqa: F401  # it turns its warnings on when imported

    warnings.simplefilter("ignore")
    from authlib.jose import JsonWebKey, JsonWebToken  # deprecated in favour of joserfc, and much used

# joserfc warns at each token whose alg is "EdDSA"; no server would leave that on.
warnings.filterwarnings("ignore", module="joserfc")


def verifiers(issuer):
    """Return the function of each peer that supports the issuer's algorithm, by the peer's name."""
    found = {
        "PyJWT, PyJWKClient": _pyjwt_client(issuer, cache_keys=False),
        "PyJWT, PyJWKClient(cache_keys=True)": _pyjwt_client(issuer, cache_keys=True),
        "PyJWT, built key": _pyjwt_key(issuer),
        "joserfc, built key set": _joserfc(issuer),
        "authlib, built key set": _authlib(issuer),
    }
    if issuer.alg in ("RS256", "ES256"):  # python-jose has no PS* and no EdDSA
        found["python-jose, JWKS dict"] = _python_jose(issuer, issuer.jwks)
        found["python-jose, built key"] = _python_jose(issuer, jose_jwk.construct(issuer.jwks["keys"][-1], issuer.alg))
    return found


def _pyjwt_decode(token, key, issuer):
    require = {"require": ["exp", "iss", "aud"]}
    return pyjwt.decode(token, key, algorithms=[issuer.alg], audience=AUDIENCE, issuer=issuer.url, options=require)


def _pyjwt_client(issuer, *, cache_keys):
    """PyJWT's usage page, "Retrieve RSA signing keys from a JWKS endpoint"; keys warm after the first call."""
    client = pyjwt.PyJWKClient(issuer.jwks_uri, cache_keys=cache_keys)

    def verify(token):
        key = client.get_signing_key_from_jwt(token)
        return _pyjwt_decode(token, key, issuer)

    return verify


def _pyjwt_key(issuer):
    """PyJWT with one key, parsed once and never looked for: no rotation."""
    key = pyjwt.PyJWK(issuer.jwks["keys"][-1], issuer.alg)

    def verify(token):
        return _pyjwt_decode(token, key, issuer)

    return verify


def _python_jose(issuer, key):
    """python-jose's `jwt.decode`, with the JWKS as its documentation allows, or with a key built once."""
    options = {"require_exp": True, "require_iss": True, "require_aud": True}

    def verify(token):
        return jose_jwt.decode(
            token, key, algorithms=[issuer.alg], audience=AUDIENCE, issuer=issuer.url, options=options
        )

    return verify


def _joserfc(issuer):
    """joserfc's guide: decode with a key set, then validate the claims with a registry."""
    key_set = JoserfcKeySet.import_key_set(issuer.jwks)
    algorithms = [issuer.alg]
    registry = JWTClaimsRegistry(
        iss={"essential": True, "value": issuer.url},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
    )

    def verify(token):
        claims = joserfc_jwt.decode(token, key_set, algorithms=algorithms).claims
        registry.validate(claims)
        return claims

    return verify


def _authlib(issuer):
    """Authlib's guide to JWT: decode with a key set, then `claims.validate()`."""
    decoder = JsonWebToken([issuer.alg])
    key_set = JsonWebKey.import_key_set(issuer.jwks)
    options = {
        "iss": {"essential": True, "value": issuer.url},
        "aud": {"essential": True, "value": AUDIENCE},
        "exp": {"essential": True},
    }

    def verify(token):
        claims = decoder.decode(token, key_set, claims_options=options)
        claims.validate()
        return claims

    return verify
