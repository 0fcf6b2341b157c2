"""The phantom token without a gateway, and signed answers (RFC 9701): JWTs are held to what holds for every JWT."""

import base64
import json
import time

import pytest

from django_oauth_jwt.errors import IntrospectionUnavailable, InvalidToken
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.verification import verify_token

from ..servers.faulty_server import answer_as_it_should, respond_with

API = "https://api.example.com"
JWT, SIGNED = "application/jwt", "application/token-introspection+jwt"
ANSWER_TYPE = {"typ": "token-introspection+jwt"}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture
def trust_jwt(trust_server):
    """Trust a server whose answers are JWTs."""
    return lambda **more: trust_server({"AUDIENCE": API, **more}, ANSWER="jwt")


@pytest.fixture
def server(trust_jwt):
    return trust_jwt()


def answering(body, media_type=JWT, line="200 OK"):
    return respond_with(line, body.encode() if isinstance(body, str) else body, Content_Type=media_type)


def unsigned(token):
    _, payload, _ = token.split(".")
    return f"{encode(json.dumps({'alg': 'none'}).encode())}.{payload}."


#: By name: what makes the JWT of an issuer.
NOT_AUTHENTIC = {
    "without a signature": lambda issuer: issuer.token("read", aud=API).rpartition(".")[0] + ".",
    "of no algorithm": lambda issuer: unsigned(issuer.token("read", aud=API)),
    "of a secret": lambda issuer: issuer.token("read", aud=API, header={"alg": "HS256"}),
    "by a foreign key": lambda issuer: issuer.token("read", aud=API, forged=True),
    "by a key that has gone": lambda issuer: issuer.token("read", aud=API, rotated=True),
    "with a critical header": lambda issuer: issuer.token("read", aud=API, header={"crit": ["x"]}),
    "cut": lambda issuer: issuer.token("read", aud=API)[:-5],
    "with another payload": lambda issuer: ".".join(
        [
            *issuer.token("read", aud=API).split(".")[:1],
            encode(json.dumps({"iss": issuer.issuer, "exp": 4e9, "aud": API}).encode()),
            issuer.token("read", aud=API).split(".")[2],
        ]
    ),
    "no JWT": lambda issuer: "opaque",
    "nothing": lambda issuer: "",
    "not ASCII": lambda issuer: "\u00fc" * 20,
    "longer than any token": lambda issuer: issuer.token("read", aud=API, padding="x" * 17000),
    "JSON": lambda issuer: json.dumps({"active": True, "scope": "read"}),
    "a signed answer": lambda issuer: issuer.token(
        aud="somebody-else", header=ANSWER_TYPE, token_introspection={"active": True, "aud": API}
    ),
}


@pytest.mark.parametrize("make", NOT_AUTHENTIC.values(), ids=NOT_AUTHENTIC)
def test_a_jwt_that_is_not_the_servers_own_is_no_answer(server, enter, log, make):
    """503: the token is not to blame. The log says so, and names the endpoint."""
    with server.behaving(answering(make(server.issuer))):
        assert enter("opaque") == (503, None)
    level, message = log()[-1]
    assert level == "WARNING"
    assert message.startswith(f"Introspection at {server.introspection_uri} failed: ")


#: By name: the token, and why it is refused.
REFUSED = {
    "for another audience": ({"aud": "https://other.example.com"}, "wrong_audience"),
    "for no audience": ({"aud": None}, "wrong_audience"),
    "of another issuer": ({"iss": "https://other.test"}, "wrong_issuer"),
    "of no issuer": ({"iss": None}, "wrong_issuer"),
    "over": ({"expired": True}, "expired"),
    "without an end": ({"exp": None}, "missing_claim"),
    "not yet good": ({"nbf": 4102444800}, "not_yet_valid"),
    "an ID token by its type": ({"header": {"typ": "id+jwt"}}, "wrong_type"),
    "an ID token by its claims": ({"at_hash": "x"}, "wrong_type"),
    "an event": ({"events": {}}, "wrong_type"),
    "an answer about a token, of another type": ({"token_introspection": {"active": False}}, "wrong_type"),
    "with a time of the wrong type": ({"exp": "4102444800"}, "malformed_claim"),
}


@pytest.mark.parametrize(("fault", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_jwt_of_the_server_is_held_to_the_rules(server, enter, fault, reason):
    """As one that a client brings."""
    with server.behaving(answering(server.issuer.token("read", **{"aud": API, **fault}))):
        assert enter("opaque") == (403, None)
    with pytest.raises(InvalidToken) as refusal:
        verify_token("opaque")
    assert refusal.value.reason == reason


def test_the_jwt_is_the_token_from_then_on(server, enter):
    """With its header and its claims; the client's own stays its own."""
    with server.behaving(answering(server.issuer.token("read", sub="anna", aud=API))):
        status, claims = enter("opaque")
    assert (status, claims["sub"]) == (200, "anna")
    access_token = verify_token("opaque")
    assert (access_token.header["typ"], access_token.encoded) == ("at+jwt", "opaque")
    (question,) = server.questions
    assert question.headers["accept"] == JWT


def test_a_byte_order_mark_before_it_is_skipped(server, enter):
    """As before a JSON object."""
    with server.behaving(answering("\ufeff" + server.issuer.token("read", aud=API))):
        assert enter("opaque")[0] == 200


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (answering(b"", line="204 No Content"), 403),
        (answering(b'{"active": false}', "application/json"), 403),
        (answering(b'{"active": true, "scope": "read"}', "application/json"), 503),
        (answering(b'{"active": false}', JWT), 503),
    ],
)
def test_what_comes_where_there_is_no_jwt(server, enter, answer, status):
    """That there is none may be told in JSON; that the token is good may not."""
    with server.behaving(answer):
        assert enter("opaque") == (status, None)


def test_a_jwt_of_another_trusted_issuer_is_not_the_askeds(settings, auth_server, signing_key):
    """Each may speak for itself alone, though its keys are known."""
    other = TokenIssuer("https://other.test", key=signing_key())
    introspection = {"ENDPOINT": auth_server.introspection_uri, "AUTH": "none", "CLIENT_ID": "api", "ANSWER": "jwt"}
    settings.OAUTH_JWT = {
        "ISSUERS": {
            other.issuer: {"JWKS_SERVICE": other},
            auth_server.origin: {"JWKS_SERVICE": auth_server.issuer, "INTROSPECTION": introspection},
        }
    }
    assert verify_token(other.token("read")).issuer == other.issuer
    for media_type in (JWT, SIGNED):
        with auth_server.behaving(answering(other.token("read", aud="api"), media_type)):
            with pytest.raises(InvalidToken) as refusal:
                verify_token(f"opaque-{media_type[-9:-4]}".replace("/", "-"))
            assert refusal.value.reason == "wrong_issuer"


def test_keys_that_cannot_be_had_are_no_answer(settings, auth_server, unreachable_jwks_uri):
    """503, as for a JWT that a client brings."""
    introspection = {"ENDPOINT": auth_server.introspection_uri, "AUTH": "none", "CLIENT_ID": "api", "ANSWER": "jwt"}
    settings.OAUTH_JWT = {
        "ISSUER": auth_server.origin,
        "JWKS_URI": unreachable_jwks_uri,
        "INTROSPECTION": introspection,
    }
    with (
        auth_server.behaving(answering(auth_server.issuer.token("read"))),
        pytest.raises(IntrospectionUnavailable),
    ):
        verify_token("opaque")


def signed(issuer, about=(), header=(), **claims):
    """A signed answer about a token that is good, but for what is changed; what is None is left out."""
    described = {"active": True, "scope": "read", "aud": API, "sub": "anna", **dict(about)}
    described = {name: value for name, value in described.items() if value is not None}
    content = {"sub": None, "exp": None, "client_id": None, "aud": "api", "token_introspection": described, **claims}
    return issuer.token(header={**ANSWER_TYPE, **dict(header)}, **content)


class TestSigned:
    """RFC 9701."""

    @pytest.fixture
    def ask(self, server):
        """Ask about a token, and return its claims, or the reason why it is refused; None where there is no answer."""

        def ask(body, media_type=SIGNED):
            with server.behaving(answering(body, media_type)):
                try:
                    return dict(verify_token("opaque").claims)
                except IntrospectionUnavailable:
                    return None
                except InvalidToken as error:
                    return error.reason

        return ask

    @pytest.mark.parametrize("media_type", [SIGNED, JWT])
    @pytest.mark.parametrize("aud", ["api", API, ["somebody", "api"]])
    def test_a_good_one_is_as_good_as_json(self, ask, server, media_type, aud):
        """For our client, or for our API; under the media type of either."""
        claims = ask(signed(server.issuer, aud=aud), media_type)
        assert claims == {"iss": server.origin, "active": True, "scope": "read", "aud": API, "sub": "anna"}

    def test_what_stands_beside_the_answer_is_ignored(self, ask, server):
        """``exp`` and ``sub`` there mean the answer, if anything (RFC 9701 section 5)."""
        claims = ask(signed(server.issuer, {"exp": 4102444800}, exp=1, sub="eve", scope="admin", cnf={"jkt": "x"}))
        assert (claims["sub"], claims["exp"], claims["scope"], "cnf" in claims) == ("anna", 4102444800, "read", False)

    @pytest.mark.parametrize(
        "fault",
        [
            {"header": {"typ": "JWT"}},
            {"header": {"typ": "at+jwt"}},
            {"header": {"typ": None}},
            {"header": {"alg": "HS256"}},
            {"forged": True},
            {"aud": "somebody-else"},
            {"aud": ["somebody-else", 5, None]},
            {"aud": None},
            {"aud": {"api": 1}},
            {"aud": [5, API]},
            {"aud": ["api", {}]},
            {"aud": [{}, "api"]},
            {"aud": ["api", None]},
            {"aud": ["api", ["api"]]},
            {"aud": []},
            {"iat": None},
            {"iat": "1"},
            {"iat": 4102444800},
            {"token_introspection": None},
            {"token_introspection": "active"},
            {"token_introspection": [{"active": True}]},
            {"token_introspection": {}},
            {"token_introspection": {"active": "true"}},
            {"about": {"active": 1}},
        ],
        ids=str,
    )
    def test_one_with_a_fault_is_no_answer(self, ask, server, fault):
        """Whatever it says of the token."""
        assert ask(signed(server.issuer, **fault)) is None

    @pytest.mark.parametrize("fault", [{}, {"exp": 4102444800, "sub": "eve", "aud": API}], ids=["typical", "complete"])
    def test_one_of_another_type_is_no_access_token(self, ask, server, fault):
        """Though it has all that one has."""
        assert ask(signed(server.issuer, header={"typ": "at+jwt"}, **fault)) is None

    @pytest.mark.parametrize(
        ("about", "reason"),
        [
            ({"active": False}, "inactive"),
            ({"iss": "https://other.test"}, "wrong_issuer"),
            ({"aud": "https://other.example.com"}, "wrong_audience"),
            ({"aud": None}, "wrong_audience"),
            ({"exp": 1}, "expired"),
            ({"nbf": 4102444800}, "not_yet_valid"),
            ({"sub": 5}, "malformed_claim"),
        ],
    )
    def test_what_it_says_is_held_to_the_rules(self, ask, server, about, reason):
        """As JSON is."""
        assert ask(signed(server.issuer, about)) == reason

    def test_one_of_another_issuer_is_not_the_askeds(self, ask, server):
        """It is that one's own, or nobody's."""
        assert ask(signed(server.issuer, iss="https://other.test")) == "wrong_issuer"

    def test_it_is_no_access_token_for_a_client_to_bring(self, server):
        """Its type is none of those that are accepted."""
        with pytest.raises(InvalidToken) as refusal:
            verify_token(signed(server.issuer, exp=int(time.time()) + 60, aud=API))
        assert refusal.value.reason == "wrong_type"

    def test_it_may_come_where_json_was_asked_for(self, trust_server):
        """From a server that always signs."""
        server = trust_server({"AUDIENCE": API})
        with server.behaving(answering(signed(server.issuer), SIGNED)):
            assert verify_token("opaque").subject == "anna"

    @pytest.mark.parametrize(
        ("more", "answer", "accept"),
        [
            ({}, "jwt", JWT),
            ({"introspection_signing_alg_values_supported": ["ES256"]}, "jwt", f"{JWT}, {SIGNED};q=0.9"),
            ({"introspection_signing_alg_values_supported": ["ES256"]}, "json", "application/json"),
        ],
    )
    def test_it_is_asked_for_where_the_server_signs(self, trust_server, more, answer, accept):
        """As its metadata say; some servers refuse a media type that they do not know."""
        server = trust_server(ENDPOINT=None, ANSWER=answer)
        server.metadata["/.well-known/oauth-authorization-server"] = {
            "issuer": server.origin,
            "introspection_endpoint": server.introspection_uri,
            **more,
        }
        with pytest.raises((InvalidToken, IntrospectionUnavailable)):
            verify_token("opaque")
        assert server.questions[0].headers["accept"] == accept
        assert server.fault is answer_as_it_should
