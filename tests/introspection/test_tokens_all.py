"""TOKENS "all": a good JWT is asked about, too, so that a revoked one is refused before its time is over."""

import pytest

from django_oauth_jwt.errors import IntrospectionUnavailable, InvalidToken
from django_oauth_jwt.testing import ProofKey, TokenIssuer
from django_oauth_jwt.verification import verify_token

from ..servers.faulty_server import respond_with


@pytest.fixture
def server(trust_server):
    return trust_server(TOKENS="all")


def reason_of(token, **kwargs):
    try:
        verify_token(token, **kwargs)
    except InvalidToken as error:
        return error.reason
    return None


def test_a_good_jwt_is_asked_about_once(server, enter):
    """And is what it says, with its header; the answer adds nothing to it."""
    token = server.issuer.token("read", sub="anna")
    for _ in range(2):
        status, claims = enter(token)
        assert (status, claims["sub"], "active" in claims) == (200, "anna", False)
    assert [question.form["token"] for question in server.questions] == [token]
    assert verify_token(token).header["typ"] == "at+jwt"


@pytest.mark.parametrize(
    "fault",
    [
        *({"expired": True}, {"forged": True}, {"rotated": True}, {"sub": 5}, {"iss": "https://other.test"}),
        *({"exp": None}, {"header": {"typ": "id+jwt"}}, {"header": {"alg": "HS256"}}, {"header": {"crit": ["x"]}}),
    ],
    ids=str,
)
def test_a_bad_jwt_is_never_asked_about(server, enter, fault):
    """Whatever the server would say of it."""
    assert enter(server.issuer.token("read", **fault)) == (403, None)
    assert server.questions == []


def test_by_default_no_jwt_is_asked_about(trust_server, enter):
    """It says all itself."""
    server = trust_server()
    assert enter(server.issuer.token("read"))[0] == 200
    assert server.questions == []


def test_a_jwt_that_is_revoked_is_refused_in_time(server, frozen_time):
    """After CACHE_SECONDS, by the process that remembers it."""
    token = server.issuer.token("read")
    verify_token(token)
    with server.behaving(respond_with(body=b'{"active": false}')):
        frozen_time.now += 59
        assert reason_of(token) is None
        frozen_time.now += 1
        assert reason_of(token) == "inactive"
    assert len(server.questions) == 2


def test_a_clock_that_is_set_back_makes_no_jwt_good_for_longer(server, frozen_time):
    """It is asked about again at once: what is remembered was said at a time that is to come."""
    token = server.issuer.token("read", iat=frozen_time.now - 7200)
    verify_token(token)
    with server.behaving(respond_with(body=b'{"active": false}')):
        frozen_time.now -= 3600
        assert reason_of(token) == "inactive"
    assert len(server.questions) == 2


def test_an_outage_is_503_for_a_new_jwt_and_nothing_for_a_known_one(server, enter):
    """The contract's answer, not the JWT's word."""
    known, new = (server.issuer.token("read") for _ in range(2))
    verify_token(known)
    with server.down():
        assert enter(known)[0] == 200
        assert enter(new) == (503, None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b'{"active": false}', "inactive"),
        (b'{"active": true, "iss": "https://other.test"}', "wrong_issuer"),
        (b'{"active": true, "exp": 1}', "expired"),
        (b'{"active": true, "cnf": null}', "malformed_claim"),
        (b'{"active": true}', None),
    ],
)
def test_what_is_said_of_it_is_held_to_the_rules(server, answer, reason):
    """As of an opaque token."""
    token = server.issuer.token("read")
    with server.behaving(respond_with(body=answer)):
        if reason == "malformed_claim":
            assert verify_token(token, binding_checked=True).confirmation is None
        else:
            assert reason_of(token) == reason


def test_a_jwt_in_the_answer_will_do(trust_server):
    """ANSWER "jwt" beside TOKENS "all"."""
    server = trust_server(TOKENS="all", ANSWER="jwt")
    token = server.issuer.token("read", sub="anna")
    answer = respond_with(body=server.issuer.token("write", sub="eve").encode(), Content_Type="application/jwt")
    with server.behaving(answer):
        assert verify_token(token).subject == "anna"


def test_a_binding_in_the_answer_binds(server, enter):
    """The JWT alone is then a stolen one."""
    token = server.issuer.token("read")
    with server.behaving(respond_with(body=b'{"active": true, "cnf": {"jkt": "thumbprint"}}')):
        assert enter(token)[0] in (401, 403)
        assert reason_of(token) == "unproven"
        assert verify_token(token, binding_checked=True).confirmation == {"jkt": "thumbprint"}


def test_another_binding_than_the_jwts_is_refused(server):
    """Which of the two would hold?"""
    proof_key = ProofKey.generate()
    token = server.issuer.token("read", bound_to=proof_key)
    with server.behaving(respond_with(body=b'{"active": true, "cnf": {"jkt": "thumbprint"}}')):
        assert reason_of(token, binding_checked=True) == "malformed_claim"
    assert len(server.questions) == 1


@pytest.mark.parametrize("says_it", [True, False])
def test_the_jwts_own_binding_stays(server, says_it):
    """Whether the answer repeats it or not."""
    proof_key = ProofKey.generate()
    token = server.issuer.token("read", bound_to=proof_key)
    body = b'{"active": true, "cnf": {"jkt": "%s"}}' % proof_key.thumbprint.encode() if says_it else b'{"active": true}'
    with server.behaving(respond_with(body=body)):
        assert reason_of(token) == "unproven"
        assert verify_token(token, binding_checked=True).confirmation == {"jkt": proof_key.thumbprint}


def test_a_service_of_the_views_own_has_its_issuer_asked_if_that_is_trusted(server, signing_key):
    """A revoked JWT is refused whichever keys it was verified with; an issuer that is not listed is not asked."""
    token = server.issuer.token("read")
    assert verify_token(token, jwks_service=server.issuer).scopes == {"read"}
    assert len(server.questions) == 1
    stranger = TokenIssuer("https://stranger.test", key=signing_key())
    assert verify_token(stranger.token("read"), jwks_service=stranger).scopes == {"read"}
    assert len(server.questions) == 1
    with server.down(), pytest.raises(IntrospectionUnavailable):
        verify_token(server.issuer.token("read"), jwks_service=server.issuer)


def test_a_service_of_the_views_own_knows_no_opaque_token(server):
    """It has keys and nothing else."""
    token = server.issuer.opaque_token("read")
    assert reason_of(token, jwks_service=server.issuer) == "malformed"
    assert server.questions == []


def test_only_the_jwts_own_issuer_is_asked(settings, auth_server, signing_key):
    """The others know nothing of it."""
    other = TokenIssuer("https://other.test", key=signing_key())
    introspection = {"ENDPOINT": auth_server.introspection_uri, "AUTH": "none", "CLIENT_ID": "api", "TOKENS": "all"}
    settings.OAUTH_JWT = {
        "ISSUERS": {
            auth_server.origin: {"JWKS_SERVICE": auth_server.issuer, "INTROSPECTION": introspection},
            other.issuer: {"JWKS_SERVICE": other},
        }
    }
    assert reason_of(other.token("read")) is None
    assert auth_server.questions == []
    assert reason_of(auth_server.issuer.token("read")) is None
    assert len(auth_server.questions) == 1
