"""What is right is accepted at every entrance: what the attacks are made of, and what stands right beside them."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jose import jws

from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.verification import verify_token

from .corpus.claims import neighbour
from .corpus.key_kinds import SMALL_ORDER, named
from .corpus.keys import KID, SOUND, jwk_of
from .corpus.rsa import right_block
from .corpus.segments import exactly
from .entrances import REALM, WORLDS
from .forge import ALGORITHMS, ISSUER, Mint, b64, dumps, mints, unb64

each_world = pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)


def assert_accepted(entrances, authorization):
    """Every entrance lets the header in, and again when it knows the token."""
    for _ in range(2):
        for path, answer in entrances.answers(authorization):
            assert (path, answer.status_code, answer.json()) == (path, 200, {"sub": "user-1"})
            assert "WWW-Authenticate" not in answer.headers


@each_world
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_the_token_that_attacks_are_made_from_is_accepted(trust_mints, entrances, alg, world):
    """Of every algorithm, so that each refusal in the corpus is for what was changed."""
    trust_mints(**world)
    token = mints(alg).token
    assert_accepted(entrances, f"Bearer {token}")
    assert [verify(token).claims for verify in entrances.verifiers.values()] == [mints(alg).claims] * 2


@pytest.mark.parametrize("alg", [alg for alg in ALGORITHMS if alg[:2] in ("RS", "ES")])
def test_a_token_of_another_implementation_is_accepted(trust_mints, entrances, alg):
    """python-jose signs, and what it signs is let in."""
    trust_mints()
    mint = mints(alg)
    pem = mint.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert_accepted(entrances, f"Bearer {jws.sign(mint.claims, pem, headers={'kid': mint.kid}, algorithm=alg)}")


NEARLY = {
    "no kid, and one key that fits": lambda m: m.signed({"kid": ...}),
    "no typ": lambda m: m.signed({"typ": ...}),
    "typ JWT": lambda m: m.signed({"typ": "JWT"}),
    "typ of a media type in capitals": lambda m: m.signed({"typ": "Application/AT+JWT"}),
    "an unknown header": lambda m: m.signed({"x": [None], "jku": "https://attacker.example", "jwk": {}, "x5c": []}),
    "names spelled with escapes": lambda m: m.raw(
        dumps(m.header).replace(b"alg", rb"\u0061lg"), dumps(m.claims).replace(b"exp", rb"\u0065xp")
    ),
    "alg spelled with escapes": lambda m: m.literal("alg", r'"\u0045S256"', header=True),
    "JSON with blanks around it": lambda m: m.raw(b" \t\r\n" + dumps(m.header), dumps(m.claims) + b"\n"),
    "segments spelled by hand": lambda m: m.segments(b64(dumps(m.header)), b64(dumps(m.claims))),
    "exp a float": lambda m: m.literal("exp", "9999999999.5"),
    "exp in the notation of floats": lambda m: m.literal("exp", "4e9"),
    "exp of four thousand digits": lambda m: m.literal("exp", "9" * 4000),
    "exp at the end of floats": lambda m: m.literal("exp", "1e308"),
    "nbf and iat of long ago": lambda m: m.signed(claims={"nbf": 0, "iat": -1.5}),
    "no nbf and no iat": lambda m: m.signed(claims={"nbf": ..., "iat": ...}),
    "one of several audiences": lambda m: m.signed(claims={"aud": ["x", m.claims["aud"]]}),
    "one more member": lambda m: m.raw(payload=dumps(m.claims)[:-1] + b', "x": 1}'),
    "sixty-four levels": lambda m: m.literal("x", "[" * 63 + "]" * 63),
    "a number of a thousand digits": lambda m: m.literal("x", "9" * 1000),
    "a pair of surrogates": lambda m: m.literal("x", r'"\ud83d\udd11"'),
    "the longest token": lambda m: exactly(m, 16_384),
}


@each_world
@pytest.mark.parametrize("forge", NEARLY.values(), ids=NEARLY)
def test_what_is_just_right_is_accepted(trust_mints, entrances, forge, world):
    """The corpus refuses what stands one step further."""
    trust_mints(**world)
    assert_accepted(entrances, f"Bearer {forge(mints('ES256'))}")


def test_a_signature_made_by_hand_is_accepted(trust_mints, entrances):
    """PKCS #1 v1.5 as the corpus makes it, with nothing wrong in the block."""
    trust_mints()
    assert_accepted(entrances, f"Bearer {right_block(mints('RS256'))}")


@pytest.mark.parametrize("kid", ["ES256", "neighbour"])
def test_a_token_of_the_other_issuer_is_accepted(trust_mints, entrances, kid):
    """Both authorization servers are trusted, even where their kids are the same."""
    trust_mints()
    assert_accepted(entrances, f"Bearer {neighbour(kid=kid).token}")


@pytest.mark.parametrize(
    "form", ["bearer {}", "BEARER {}", "bEaReR {}", "Bearer    {}", "Bearer {}  "], ids=lambda form: form.format("x")
)
def test_the_scheme_has_no_case_and_blanks_do_not_matter(trust_mints, entrances, form):
    """RFC 9110 section 11."""
    trust_mints()
    assert_accepted(entrances, form.format(mints("EdDSA").token))


@pytest.mark.parametrize("alg", SOUND)
def test_a_sound_key_is_used(trust_mints, entrances, alg):
    """The keys that the corpus makes traps of, before it does so."""
    trust_mints([jwk_of(alg, SOUND[alg]())])
    assert_accepted(entrances, f"Bearer {Mint(alg, SOUND[alg](), KID).token}")


def test_an_unusable_twin_of_a_kid_does_not_spoil_the_good_one(trust_mints, entrances):
    """Some servers publish an encryption key under the same kid."""
    trust_mints([named(owner="second", use="enc"), named(), named("ES384")])
    assert_accepted(entrances, f"Bearer {Mint('ES256', SOUND['ES256'](), KID).token}")


@pytest.mark.parametrize("case", SMALL_ORDER, ids=lambda case: case.name)
def test_the_signatures_of_small_keys_do_hold(case):
    """They are refused for the key, since `cryptography` itself takes the signature."""
    mint = mints("ES256")
    (jwk,) = case.jwks(mint)
    message, _, signature = case.authorization(mint).removeprefix("Bearer ").rpartition(".")
    Ed25519PublicKey.from_public_bytes(unb64(jwk["x"])).verify(unb64(signature), message.encode())


@pytest.mark.parametrize(
    "request_of",
    [
        lambda client, token: client.get("/decorator", {"access_token": token}),
        lambda client, token: client.post("/decorator", {"access_token": token}),
        lambda client, token: client.get("/decorator", headers={"Proxy-Authorization": f"Bearer {token}"}),
        lambda client, token: client.get("/decorator", headers={"X-Authorization": f"Bearer {token}"}),
        lambda client, token: client.get("/decorator", headers={"X-Forwarded-Authorization": f"Bearer {token}"}),
        lambda client, token: client.get("/decorator", headers={"Cookie": f"access_token={token}"}),
        lambda client, token: client.get("/decorator", headers={"DPoP": token}),
    ],
    ids=["query", "form", "Proxy-Authorization", "X-Authorization", "X-Forwarded-Authorization", "cookie", "DPoP"],
)
def test_a_token_anywhere_else_is_not_looked_at(trust_mints, client, request_of):
    """Query strings are logged, and forms and cookies are sent by other sites (RFC 6750 section 5.3)."""
    trust_mints()
    answer = request_of(client, mints("ES256").token)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, f'Bearer realm="{REALM}"')


def test_a_key_that_leaves_takes_its_tokens_along(trust_mints):
    """A token that is remembered is no better than its key."""
    token = Mint("ES256", SOUND["ES256"](), KID).token
    trust_mints([named()])
    assert verify_token(token).claims["iss"] == ISSUER
    trust_mints([named(owner="second")])
    with pytest.raises(InvalidToken, match="signature"):
        verify_token(token)
