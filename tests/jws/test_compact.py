"""JWS compact serialization, strictly: the RFCs' examples hold, and everything near them does not."""

import base64
import json
from contextlib import suppress
from traceback import walk_tb
from types import SimpleNamespace

import pytest

from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.jws import SUPPORTED_ALGORITHMS, KeySet, read_compact, verify_compact

from .rfc_vectors import HS256_KEY, UNACCEPTABLE, VECTORS

#: Of IANA's registry of JOSE header parameters all but ``alg``.
REGISTERED = (
    *("jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "enc", "zip", "epk", "apu", "apv"),
    *("iv", "tag", "p2s", "p2c", "iss", "sub", "aud", "b64", "ppt", "url", "nonce", "svt", "iheSSId", "client_id"),
    *("trust_chain", "peer_trust_chain", "jwt"),
)
ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


def _encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _key_set(*keys):
    return KeySet.from_jwks({"keys": [key if isinstance(key, dict) else key.public_jwk() for key in keys]})


def _reason(encoded, key_set, algorithms=SUPPORTED_ALGORITHMS):
    with pytest.raises(InvalidToken) as caught:
        verify_compact(encoded, key_set, algorithms)
    return caught.value.reason


@pytest.mark.parametrize(("alg", "jwk", "encoded", "payload"), VECTORS.values(), ids=VECTORS)
def test_the_rfcs_example_verifies(alg, jwk, encoded, payload):
    """Other implementations' signatures hold, of every family, with the RFC's own key."""
    header, found = verify_compact(encoded, _key_set(jwk), SUPPORTED_ALGORITHMS)
    assert header["alg"] == alg
    assert found == payload


@pytest.mark.parametrize(("alg", "jwk", "encoded", "payload"), VECTORS.values(), ids=VECTORS)
def test_the_rfcs_example_with_one_bit_changed_does_not(alg, jwk, encoded, payload):
    """Neither payload nor signature may differ by a bit."""
    header, body, signature = encoded.split(".")
    other_payload = _encode(bytes([payload[0] ^ 1]) + payload[1:])
    padded = base64.urlsafe_b64decode(signature + "==")
    other_signature = _encode(padded[:-1] + bytes([padded[-1] ^ 1]))
    key_set = _key_set(jwk)
    assert _reason(f"{header}.{other_payload}.{signature}", key_set) == "bad_signature"
    assert _reason(f"{header}.{body}.{other_signature}", key_set) == "bad_signature"


@pytest.mark.parametrize("encoded", UNACCEPTABLE.values(), ids=UNACCEPTABLE)
@pytest.mark.parametrize("accepted", [SUPPORTED_ALGORITHMS, ("HS256", "none")])
def test_shared_secrets_and_no_signature_are_refused(encoded, accepted):
    """Not even a caller who asks for HS256 or none can have them: no key of a JWKS fits."""
    jwk = VECTORS["RFC 7515 A.2"][1]
    assert _reason(encoded, _key_set(HS256_KEY, jwk), accepted) in ("wrong_algorithm", "unknown_kid")


@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
def test_each_algorithm_verifies_its_own_signature_only(signing_key, alg):
    """A signature of one algorithm holds under that name, and under no other of the same key."""
    key = signing_key(alg)
    jwk = {**key.public_jwk(), "alg": None}
    header = {"alg": alg, "kid": key.kid}
    assert verify_compact(key.encode(header, b"{}"), _key_set(jwk), [alg]) == (header, b"{}")
    for other in set(SUPPORTED_ALGORITHMS) - {alg}:
        encoded = key.encode({"alg": other, "kid": key.kid}, b"{}")
        same = {alg, other} == {"EdDSA", "Ed25519"}  # two names of one algorithm (RFC 9864)
        if same:
            assert verify_compact(encoded, _key_set(jwk), [other])
        else:
            assert _reason(encoded, _key_set(jwk)) in ("bad_signature", "wrong_algorithm")


def _shown(error):
    """Return what a report shows of the variables of the package's frames, those of the causes included."""
    found = []
    while error is not None:
        frames = [frame for frame, _ in walk_tb(error.__traceback__) if frame.f_globals["__name__"] != __name__]
        found += [repr(frame.f_locals) for frame in frames]
        error = error.__cause__ or error.__context__
    return "".join(found)


def test_a_refusal_shows_nothing_of_the_jws(signing_key):
    """Neither of one that somebody else accepts, nor of what is none."""
    key = signing_key("ES256")
    encoded = key.encode({"alg": "ES256", "kid": key.kid}, b"{}")
    for jws, algorithms in (encoded, ["RS256"]), (encoded[:-2], ["ES256"]), (f"{encoded}\xe9", ["ES256"]):
        with pytest.raises(InvalidToken) as caught:
            verify_compact(jws, _key_set(key), algorithms)
        assert "'algorithms'" in _shown(caught.value)
        assert not [part for part in jws.split(".") if part in _shown(caught.value)]
    with pytest.raises(AttributeError) as broken:  # a service has no keys yet
        verify_compact(encoded, None, ["ES256"])
    assert "'algorithms'" in _shown(broken.value)
    assert not [part for part in encoded.split(".") if part in _shown(broken.value)]


def test_what_ends_the_process_shows_nothing_of_the_jws(signing_key):
    """A server may end its worker while a slow key verifies, and reports have that as well."""

    def select(*args):
        raise SystemExit(1)

    key = signing_key("ES256")
    encoded = key.encode({"alg": "ES256", "kid": key.kid}, b"{}")
    with pytest.raises(SystemExit) as caught:
        verify_compact(encoded, SimpleNamespace(select=select), ["ES256"])
    assert "'algorithms'" in _shown(caught.value)
    assert not [part for part in encoded.split(".") if part in _shown(caught.value)]


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "ES512", "EdDSA"])
def test_a_forged_signature_is_refused(signing_key, alg):
    """Another key under the same kid, a cut, a lengthened and an empty signature."""
    key, other = signing_key(alg), signing_key(alg, "other")
    key_set, header = _key_set(key), {"alg": alg, "kid": key.kid}
    genuine, forged = key.encode(header, b"{}"), other.encode(header, b"{}")
    signing_input, _, signature = genuine.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    assert _reason(forged, key_set) == "bad_signature"
    for changed in (b"", raw[:-1], raw + b"\0", b"\0" + raw, bytes(len(raw)), raw * 100):
        assert _reason(f"{signing_input}.{_encode(changed)}", key_set) == "bad_signature"


def test_an_ecdsa_signature_in_asn1_is_refused(signing_key):
    """RFC 7518 section 3.4: the signature is r and s side by side, and has no second spelling."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415  # of this one test
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = signing_key()
    signing_input = key.encode({"alg": "ES256", "kid": key.kid}, b"{}").rpartition(".")[0]
    asn1 = key.private_key.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256()))
    assert _reason(f"{signing_input}.{_encode(asn1)}", _key_set(key)) == "bad_signature"


def test_only_the_accepted_algorithms_count(signing_key):
    """A good signature of an algorithm that is not accepted is refused before the key is looked at."""
    key = signing_key()
    encoded = key.encode({"alg": "ES256", "kid": key.kid}, b"{}")
    assert _reason(encoded, _key_set(key), ["RS256"]) == "wrong_algorithm"
    assert _reason(encoded, _key_set(key), ()) == "wrong_algorithm"


@pytest.mark.parametrize(
    "mangle",
    {
        "nothing": lambda h, p, s: "",
        "no dot": lambda h, p, s: h + p + s,
        "two segments": lambda h, p, s: f"{h}.{p}",
        "four segments": lambda h, p, s: f"{h}.{p}.{s}.",
        "five segments": lambda h, p, s: f"{h}.{p}.{s}.{s}.{s}",
        "dots alone": lambda h, p, s: "..",
        "no header": lambda h, p, s: f".{p}.{s}",
        "padded header": lambda h, p, s: f"{h}=.{p}.{s}",
        "padded payload": lambda h, p, s: f"{h}.{p}==.{s}",
        "a blank in front": lambda h, p, s: f" {h}.{p}.{s}",
        "a blank inside": lambda h, p, s: f"{h}.{p[:5]} {p[5:]}.{s}",
        "a line feed inside": lambda h, p, s: f"{h}.{p[:5]}\n{p[5:]}.{s}",
        "a line feed at the end of the header": lambda h, p, s: f"{h}\n.{p}.{s}",
        "foreign characters": lambda h, p, s: f"{h}.{p[:5]}!@#${p[5:]}.{s}",
        "a null": lambda h, p, s: f"{h}.{p[:5]}\0{p[5:]}.{s}",
        "the other alphabet": lambda h, p, s: f"{h}.{p[:4]}+/{p[4:]}.{s}",
        "no ASCII": lambda h, p, s: f"{h}.\u00e4{p}.{s}",
        "a full-width digit": lambda h, p, s: f"{h}.{p}\uff11.{s}",
        "a lone surrogate": lambda h, p, s: f"{h}.{p}.{s}\ud800",
        "an impossible length": lambda h, p, s: f"{h}.{'A' * 5}.{s}",
        "JSON serialization": lambda h, p, s: json.dumps({"protected": h, "payload": p, "signature": s}),
        "bytes": lambda h, p, s: f"{h}.{p}.{s}".encode(),
        "None": lambda h, p, s: None,
        "a number": lambda h, p, s: 5,
    }.items(),
    ids=lambda item: item[0],
)
def test_what_is_no_compact_jws_is_malformed(signing_key, mangle):
    """Three segments of base64url without padding, and nothing else: no second spelling of a token is accepted."""
    key = signing_key()
    segments = key.encode({"alg": "ES256", "kid": key.kid}, b'{"sub": "\x7f"}').split(".")
    assert _reason(mangle[1](*segments), _key_set(key)) == "malformed"


@pytest.mark.parametrize("change", ["{}=", " {}", "{}\n", "!{}", "{}A"])
def test_a_signature_that_is_no_base64url_is_a_bad_one(signing_key, change):
    """The same strictness for the last segment, so that a token has one text only."""
    key = signing_key()
    signing_input, _, signature = key.encode({"alg": "ES256", "kid": key.kid}, b"{}").rpartition(".")
    assert _reason(f"{signing_input}.{change.format(signature)}", _key_set(key)) == "bad_signature"


@pytest.mark.parametrize(("payload", "endings"), [(b"a", 4), (b"ab", 16), (b"abc", 64), (b"abcd", 4)])
def test_stray_bits_at_the_end_of_a_segment_are_refused(signing_key, payload, endings):
    """Each byte string has one spelling in base64url, though Python's decoder takes up to sixteen for the same."""
    key = signing_key()
    header, segment = _encode(b'{"alg": "ES256", "kid": "key-1"}'), _encode(payload)
    accepted = {}
    for end in ALPHABET:
        signing_input = f"{header}.{segment[:-1]}{end}"
        encoded = f"{signing_input}.{_encode(key.sign(signing_input.encode()))}"
        with suppress(InvalidToken):
            accepted[end] = verify_compact(encoded, _key_set(key), ["ES256"])[1]
    assert accepted[segment[-1]] == payload
    assert len(accepted) == len(set(accepted.values())) == endings


@pytest.mark.parametrize(
    "protected",
    [
        *(b"", b"null", b"[]", b'"x"', b"5", b"{", b"{}", b'{"alg": null}', b'{"alg": 5}', b'{"alg": ["ES256"]}'),
        *(b'{"alg": "ES256", "kid": 5}', b'{"alg": "ES256", "kid": ["a"]}', b'{"alg": "ES256", "kid": true}'),
        *(b'{"alg": "ES256", "typ": 5}', b'{"alg": "ES256", "typ": {}}', b'{"alg": "ES256", "alg": "ES256"}'),
        *(b'{"alg": "ES256", "x": NaN}', b'{"alg": "ES256"} x', b'\xff\xfe{"alg": "ES256"}', b"[" * 10_000),
        '{"alg": "ES256"}'.encode("utf-16"),
        *(b'{"alg": "ES256", "%s": null}' % name.encode() for name in REGISTERED),
    ],
    ids=lambda protected: protected[:40].decode("latin-1"),
)
def test_a_header_that_is_no_strict_json_object_is_malformed(signing_key, protected):
    """Wrong types, null among them, duplicate members, other encodings: refused before a key is looked for."""
    assert _reason(f"{_encode(protected)}.e30.AAAA", _key_set(signing_key())) == "malformed"


@pytest.mark.parametrize(
    "extra", [{"crit": ["exp"]}, {"crit": []}, {"b64": False}, {"b64": True}, {"crit": [], "kid": None}]
)
def test_critical_headers_are_refused(signing_key, extra):
    """RFC 7515 section 4.1.11, RFC 7797: nothing critical is understood, so nothing critical is accepted."""
    key = signing_key()
    encoded = key.encode({"alg": "ES256", "kid": key.kid, **extra}, b"{}")
    assert _reason(encoded, _key_set(key)) == "critical_header"
    assert _reason(encoded, _key_set(key)) == "critical_header"  # and also when the header has been read before


def test_keys_in_the_header_are_ignored(signing_key):
    """A token cannot bring or name its own key: jwk, jku, x5u and x5c change nothing."""
    key, attacker = signing_key(), signing_key("ES256", "attacker")
    header = {
        "alg": "ES256",
        "kid": key.kid,
        "jwk": attacker.public_jwk(),
        "jku": "https://attacker.example/jwks",
        "x5u": "https://attacker.example/x5u",
        "x5c": ["AAAA"],
    }
    assert verify_compact(key.encode(header, b"{}"), _key_set(key), ["ES256"])[0] == header
    assert _reason(attacker.encode(header, b"{}"), _key_set(key)) == "bad_signature"
    unknown = attacker.encode({**header, "kid": attacker.kid}, b"{}")
    assert _reason(unknown, _key_set(key)) == "unknown_kid"


def test_the_header_is_the_callers_own(signing_key):
    """Headers are remembered, but whoever changes the one returned changes nothing for the next caller."""
    key = signing_key()
    encoded = key.encode({"alg": "ES256", "kid": key.kid, "x": {"y": 1}}, b"{}")
    header, _ = verify_compact(encoded, _key_set(key), ["ES256"])
    header.pop("alg")
    header["x"]["y"] = 2
    assert verify_compact(encoded, _key_set(key), ["ES256"])[0]["x"] == {"y": 1}


def test_the_payload_is_returned_as_it_is(signing_key):
    """JWS alone: the payload may be anything, also what is no JSON, or nothing."""
    key = signing_key()
    for payload in (b"", b"\x00\xff", b"not JSON"):
        encoded = key.encode({"alg": "ES256", "kid": key.kid}, payload)
        assert verify_compact(encoded, _key_set(key), ["ES256"])[1] == payload


@pytest.mark.parametrize(("length", "is_cached"), [(1, True), (700, True), (900, False)])
def test_a_header_is_read_once_unless_it_is_long(signing_key, length, is_cached):
    """All tokens of an authorization server have a few headers; long ones of a stranger must not fill the memory."""
    encoded = signing_key().encode({"alg": "ES256", "x": "x" * length}, b"{}").encode()
    assert (read_compact(encoded)[0] is read_compact(encoded)[0]) is is_cached
