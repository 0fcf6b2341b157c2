"""INTROSPECTION: keys and addresses that go together, and secrets that nobody sees."""

import math
import sys
from traceback import walk_tb

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.views.debug import ExceptionReporter

from django_oauth_jwt.conf import get_settings

from .samples import ISSUER, VALID, WITH_SECRET, WITHOUT_SECRET

SECRET = "correct-horse-battery"


def pem(key, encryption=None, form=PrivateFormat.PKCS8):
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()


def rsa_key(p, q):
    """Return the RSA key of two primes."""
    public, d = rsa.RSAPublicNumbers(65537, p * q), pow(65537, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def roca_key():
    """Return an RSA key as the faulty library makes them: primes that are powers of 65537 modulo each small prime."""
    product = math.prod(n for n in range(2, 168) if all(n % divisor for divisor in range(2, n)))
    return rsa_key(*(product * (2**1024 // product - number) + pow(65537, 12345, product) for number in (8, 18)))


EC = ec.generate_private_key(ec.SECP256R1())
#: By kind: a key, and the algorithms that it may sign with, the first by default.
KEYS = {
    "RSA": (rsa.generate_private_key(65537, 2048), ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]),
    "P-256": (EC, ["ES256"]),
    "P-384": (ec.generate_private_key(ec.SECP384R1()), ["ES384"]),
    "P-521": (ec.generate_private_key(ec.SECP521R1()), ["ES512"]),
    "Ed25519": (ed25519.Ed25519PrivateKey.generate(), ["EdDSA", "Ed25519"]),
}
#: PEMs of no use.
USELESS = {
    "RSA of 1024 bits": pem(rsa.generate_private_key(65537, 1024)),
    "RSA with the fingerprint of ROCA": pem(roca_key()),
    "RSA of two primes that are close to each other": pem(rsa_key(2**1024 - 105, 2**1024 - 179)),
    "secp256k1": pem(ec.generate_private_key(ec.SECP256K1())),
    "DSA": pem(dsa.generate_private_key(1024)),
    "Ed448": pem(ed448.Ed448PrivateKey.generate()),
    "encrypted": pem(EC, BestAvailableEncryption(SECRET.encode())),
    "public": EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    "broken": pem(EC).replace("A", "B"),
    "cut": pem(EC)[:100],
}


@pytest.fixture
def held(settings):
    """What the settings hold of INTROSPECTION."""

    def held(**introspection):
        settings.OAUTH_JWT = {**VALID, "INTROSPECTION": introspection}
        assert run_checks(tags=["oauth_jwt"]) == []
        return get_settings().issuers[ISSUER].introspection

    return held


@pytest.mark.parametrize("kind", KEYS)
def test_a_private_key_signs_with_what_fits_it(held, kind):
    """By itself, and with each algorithm that is asked for."""
    key, algorithms = KEYS[kind]
    assert held(CLIENT_ID="api", PRIVATE_KEY=pem(key)).alg == algorithms[0]
    for alg in algorithms:
        made = held(CLIENT_ID="api", PRIVATE_KEY=pem(key), ALG=alg, KEY_ID="1", AUTH="private_key_jwt")
        assert (made.alg, made.key_id, made.auth) == (alg, "1", "private_key_jwt")
        assert made.private_key.public_key() == key.public_key()


@pytest.mark.parametrize(
    ("kind", "alg"),
    [(kind, alg) for kind in KEYS for alg in ("RS256", "ES256", "ES384", "EdDSA") if alg not in KEYS[kind][1]],
)
def test_an_algorithm_of_another_kind_is_refused(problem_of, kind, alg):
    """E003 says which ones would do."""
    key, algorithms = KEYS[kind]
    message = problem_of({**VALID, "INTROSPECTION": {"CLIENT_ID": "api", "PRIVATE_KEY": pem(key), "ALG": alg}})
    assert message.id == "oauth_jwt.E003"
    assert f"must have an 'ALG' that fits its 'PRIVATE_KEY' ({', '.join(algorithms)})" in message.msg


@pytest.mark.parametrize("make", [str, lambda path: path], ids=["string", "Path"])
def test_a_private_key_may_be_in_a_file(held, tmp_path, make):
    """Named by a string or by a Path; in the traditional format as well."""
    path = tmp_path / "key.pem"
    path.write_text(pem(EC, form=PrivateFormat.TraditionalOpenSSL))
    assert held(CLIENT_ID="api", PRIVATE_KEY=make(path)).private_key.public_key() == EC.public_key()


@pytest.mark.parametrize("kind", USELESS)
def test_a_key_of_no_use_is_refused(problem_of, kind):
    """Whatever is wrong with it, and without a word of it."""
    message = problem_of({**VALID, "INTROSPECTION": {"CLIENT_ID": "api", "PRIVATE_KEY": USELESS[kind]}})
    assert message.id == "oauth_jwt.E003"
    assert "private key in PEM" in message.msg or "'PRIVATE_KEY' of RSA" in message.msg
    assert not any(line in message.msg + message.hint for line in USELESS[kind].splitlines()[1:-1])


def test_a_key_that_can_be_computed_is_refused_with_the_reason(problem_of):
    """CVE-2017-15361: anybody who has the public key could sign as this client."""
    message = problem_of({**VALID, "INTROSPECTION": {"CLIENT_ID": "api", "PRIVATE_KEY": pem(roca_key())}})
    assert "without the fingerprint of CVE-2017-15361" in message.msg


def test_a_file_that_cannot_be_read_is_told(problem_of):
    """Without its path, which a mistake may have made a key."""
    message = problem_of({**VALID, "INTROSPECTION": {"CLIENT_ID": "api", "PRIVATE_KEY": f"/nowhere/{SECRET}"}})
    assert "the file cannot be read (No such file or directory)" in message.msg
    assert SECRET not in message.msg + message.hint


@pytest.mark.parametrize(
    ("raw", "id_", "words"),
    [
        ({"INTROSPECTION": {**WITH_SECRET, "ENDPOINT": "http://as.example.com/i"}}, "E005", "tokens and credentials"),
        ({"ISSUER": "http://as.example.com", "INTROSPECTION": WITH_SECRET}, "E005", "tokens and credentials"),
        ({"ISSUER": "as", "INTROSPECTION": WITH_SECRET}, "E003", "must have 'ENDPOINT'"),
        ({"ISSUER": None, "INTROSPECTION": WITH_SECRET}, "E003", "must have 'ENDPOINT'"),
        ({"INTROSPECTION": {"CLIENT_ID": "api"}}, "E003", "must have 'CLIENT_SECRET' or 'PRIVATE_KEY', or the AUTH"),
        ({"INTROSPECTION": {"CLIENT_SECRET": "x"}}, "E003", "must have 'CLIENT_ID'"),
        ({"INTROSPECTION": {**WITH_SECRET, "AUTH": "none"}}, "E003", "must not have 'CLIENT_SECRET' for the AUTH"),
        ({"INTROSPECTION": {**WITHOUT_SECRET, "AUTH": "private_key_jwt"}}, "E003", "must have 'PRIVATE_KEY' for the"),
        ({"INTROSPECTION": {**WITH_SECRET, "PRIVATE_KEY": pem(EC)}}, "E003", "'CLIENT_SECRET' and 'PRIVATE_KEY'"),
        ({"INTROSPECTION": {**WITH_SECRET, "KEY_ID": "1"}}, "E003", "must not have 'KEY_ID' without 'PRIVATE_KEY'"),
        ({"INTROSPECTION": {**WITH_SECRET, "TOKEN": "all"}}, "E003", "Did you mean 'TOKENS'?"),
    ],
)
def test_what_does_not_go_together_is_told(problem_of, raw, id_, words):
    """One problem, with what would do."""
    message = problem_of({**VALID, **raw})
    assert message.id == f"oauth_jwt.{id_}"
    assert words in message.msg


@pytest.mark.parametrize(
    "raw",
    [
        {"INTROSPECTION": {**WITH_SECRET, "ENDPOINT": "http://as.example.com/i"}, "ALLOW_INSECURE_HTTP": True},
        {"INTROSPECTION": {**WITH_SECRET, "ENDPOINT": "http://127.0.0.1:8000/i"}},
        {"ISSUER": "as", "INTROSPECTION": {**WITH_SECRET, "ENDPOINT": "https://as.example.com/i"}},
        {"ISSUER": None, "INTROSPECTION": {**WITH_SECRET, "ENDPOINT": "https://as.example.com/i"}},
    ],
)
def test_an_endpoint_that_is_named_needs_no_issuer_to_be_a_url(settings, raw):
    """And plain http is for this machine, and for networks that are trusted."""
    settings.OAUTH_JWT = {**VALID, **raw}
    assert run_checks(tags=["oauth_jwt"]) == []


def test_each_issuer_may_have_its_own(settings):
    """Those without are not asked, also where all others are; the order is that of the settings."""
    names = [f"https://{name}.example.com" for name in "abc"]
    settings.OAUTH_JWT = {
        "ISSUERS": {names[0]: {}, names[1]: {"INTROSPECTION": {**WITHOUT_SECRET, "CLIENT_ID": "b"}}, names[2]: {}},
        "INTROSPECTION": WITHOUT_SECRET,
    }
    assert [trusted.introspection.client_id for trusted in get_settings().introspecting] == ["api", "b", "api"]
    assert get_settings().unlisted_issuer.introspection is None


#: Where a secret may be lost: each of these is refused, or shown by a repr.
LOST = {
    "no dict": {"INTROSPECTION": SECRET},
    "beside another": {"INTROSPECTION": {"CLIENT_SECRET": SECRET}},
    "with a bad neighbour": {"INTROSPECTION": {**WITH_SECRET, "CLIENT_SECRET": SECRET, "AUTH": 5}},
    "of a kind that is not taken": {"INTROSPECTION": {"CLIENT_ID": "api", "CLIENT_SECRET": SECRET.encode()}},
    "under another name": {"INTROSPECTION": {**WITHOUT_SECRET, "SECRET": SECRET}},
    "in each other place": {
        "INTROSPECTION": dict.fromkeys(
            ("ENDPOINT", "CLIENT_ID", "AUTH", "PRIVATE_KEY", "ALG", "ANSWER", "TOKENS", "CACHE_SECONDS"), f" {SECRET}"
        )
    },
    "beside a bad setting": {"INTROSPECTION": {**WITH_SECRET, "CLIENT_SECRET": SECRET}, "LEEWAY": -1},
    "of a listed issuer": {"ISSUERS": {"https://b.example.com": {"INTROSPECTION": {"CLIENT_SECRET": SECRET}}}},
    "of a listed issuer beside": {
        "ISSUERS": {"https://b.example.com": {"INTROSPECTION": {**WITH_SECRET, "CLIENT_SECRET": SECRET}, "LEEWAY": -1}}
    },
    "in a list of issuers": {"ISSUERS": [{"INTROSPECTION": {"CLIENT_SECRET": SECRET}}]},
    "in issuers without names": {"ISSUERS": {"": {"INTROSPECTION": {"CLIENT_SECRET": SECRET}}}},
    "in an issuer that is no dict": {"ISSUERS": {"https://b.example.com": SECRET}},
}


@pytest.mark.parametrize("raw", LOST.values(), ids=LOST)
def test_bad_settings_show_no_secret(settings, raw):
    """Neither in a check or an exception, nor in the variables of our frames on an error page."""
    settings.OAUTH_JWT = {**VALID, **raw}
    messages = run_checks(tags=["oauth_jwt"])
    assert messages
    with pytest.raises(ImproperlyConfigured) as caught:
        get_settings()
    ours = [frame.f_locals for frame, _ in walk_tb(caught.tb) if "django_oauth_jwt" in frame.f_code.co_filename]
    assert ours
    shown = [*(message.msg + message.hint for message in messages), str(caught.value), *map(repr, ours)]
    error = caught.value.__cause__ or caught.value.__context__
    assert error is None
    assert not any(SECRET in text for text in shown)


def test_an_error_page_of_bad_settings_shows_no_secret(settings, rf):
    """Django's own, with the settings on it."""
    settings.OAUTH_JWT = {**VALID, "INTROSPECTION": {**WITH_SECRET, "CLIENT_SECRET": SECRET}, "LEEWAY": -1}
    settings.DEBUG = True
    try:
        get_settings()
    except ImproperlyConfigured:
        reporter = ExceptionReporter(rf.get("/"), *sys.exc_info())
        assert SECRET not in reporter.get_traceback_text()
        assert SECRET not in reporter.get_traceback_html()


def test_a_repr_shows_no_secret(held, settings):
    """Of the settings, of an issuer, and of INTROSPECTION itself."""
    made = [
        held(CLIENT_ID="api", CLIENT_SECRET=SECRET),
        held(CLIENT_ID="api", PRIVATE_KEY=pem(EC)),
        get_settings(),
        get_settings().issuers[ISSUER],
    ]
    assert made[0].secret() == SECRET
    assert not any(SECRET in repr(each) or "PRIVATE" in repr(each) or "Key" in repr(each) for each in made)
