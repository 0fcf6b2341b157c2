"""Whatever the authorization server answers, each entrance answers as the contract says, and forgets nothing."""

import json
from codecs import BOM_UTF8
from http import HTTPStatus

import pytest

from django_oauth_jwt.errors import IntrospectionUnavailable, InvalidToken
from django_oauth_jwt.introspection import ActiveClaims, JwtAnswer
from django_oauth_jwt.introspection.answer import CredentialsRefused, Inactive, read_answer
from django_oauth_jwt.upstream import FetchFailed, NoAnswer, Posted
from django_oauth_jwt.verification import verify_token

from ..servers.faulty_server import respond_with
from .bad_answers import ACCEPTED, API, NO_ANSWERS, REFUSALS, SLOW, status

ALL_SETTINGS = {"AUDIENCE": API}


@pytest.fixture
def server(trust_server):
    return trust_server(ALL_SETTINGS)


def remembered(server):
    """A token that was good a moment ago."""
    token = server.issuer.opaque_token("read", aud=API, sub="remembered")
    assert verify_token(token).subject == "remembered"
    return token


@pytest.mark.unmeasured
@pytest.mark.parametrize("fault", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_is_503(server, enter, fault, heard):
    """Never "invalid", and never good; what is remembered is good as before."""
    known = remembered(server)
    with server.behaving(fault):
        assert enter("opaque") == (503, None)
        assert enter(known)[0] == 200
    assert heard.names(2) == ["introspected", "introspection_failed"]


@pytest.mark.parametrize("fault", SLOW.values(), ids=SLOW)
def test_an_answer_that_takes_too_long_is_503(trust_server, enter, fault):
    """Also where each byte comes in time."""
    server = trust_server({**ALL_SETTINGS, "HTTP_TIMEOUT": 0.1})
    with server.behaving(fault):
        assert enter("opaque") == (503, None)


def test_no_server_at_all_is_503(server, enter):
    """And what is remembered is good as before."""
    known = remembered(server)
    with server.down():
        assert enter("opaque") == (503, None)
        assert enter(known)[0] == 200


@pytest.mark.parametrize(("fault", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_an_answer_counts_only_if_it_holds_here(server, enter, fault, reason):
    """The rules are those for every token; the answer is remembered."""
    with server.behaving(fault):
        assert enter("opaque") == (403, None)
    with pytest.raises(InvalidToken) as refusal:
        verify_token("opaque")
    assert refusal.value.reason == reason
    assert len(server.questions) == 1


@pytest.mark.parametrize("answer", ACCEPTED.values(), ids=ACCEPTED)
def test_a_good_answer_is_a_token_like_any_other(server, enter, answer):
    """With the issuer that was asked."""
    with server.behaving(answer):
        status, claims = enter("opaque")
    assert status == 200
    assert (claims["iss"], claims["scope"], claims["active"]) == (server.origin, "read", True)


def test_an_opaque_token_is_an_access_token(server):
    """Immutable, with all that such a token has; only a header it has none."""
    token = server.issuer.opaque_token(["read", "write"], sub="anna", client_id="app", aud=API, exp=4102444800)
    access_token = verify_token(token)
    assert (access_token.subject, access_token.client_id, access_token.issuer) == ("anna", "app", server.origin)
    assert (access_token.scopes, access_token.encoded) == ({"read", "write"}, token)
    assert (dict(access_token.header), access_token.confirmation) == ({}, None)
    assert token not in repr(access_token)
    with pytest.raises(TypeError):
        access_token.claims["sub"] = "eve"


def test_without_an_audience_any_will_do(trust_server):
    """AUDIENCE unset: also none; but one that is no audience is refused."""
    server = trust_server()
    for aud, is_good in ((None, True), ("x", True), (["x", "y"], True), ([5], False), ({"x": 1}, False)):
        token = server.issuer.opaque_token("read", aud=aud)
        if is_good:
            assert verify_token(token).scopes == {"read"}
        else:
            with pytest.raises(InvalidToken):
                verify_token(token)


@pytest.mark.parametrize("leeway", [0, 30])
def test_the_leeway_holds_here_too(trust_server, frozen_time, leeway):
    """As for a JWT."""
    server = trust_server({"LEEWAY": leeway})
    token = server.issuer.opaque_token("read", exp=int(frozen_time.now) - 10)
    if leeway:
        assert verify_token(token).scopes == {"read"}
    else:
        with pytest.raises(InvalidToken):
            verify_token(token)


def test_a_token_that_ends_while_it_is_remembered_is_refused(server, frozen_time):
    """Without a question."""
    token = server.issuer.opaque_token("read", aud=API, exp=int(frozen_time.now) + 20)
    verify_token(token)
    frozen_time.now += 51
    with pytest.raises(InvalidToken):
        verify_token(token)


def test_a_byte_order_mark_hides_no_refused_credentials(server, log):
    """It is skipped before every answer that is read."""
    refused = status("400 Bad Request", BOM_UTF8 + b'{"error": "invalid_client"}')
    with server.behaving(refused), pytest.raises(IntrospectionUnavailable):
        verify_token("opaque")
    ((level, message),) = log()
    assert (level, "the credentials in INTROSPECTION are not accepted" in message) == ("ERROR", True)


def test_credentials_that_are_refused_are_an_error_once_per_back_off(server, log):
    """It is the project's to mend: the line names the endpoint, and no secret."""
    with server.behaving(respond_with("401 Unauthorized")):
        for token in ("one", "two", "three"):
            with pytest.raises(IntrospectionUnavailable):
                verify_token(token)
    reason = "status 401: the credentials in INTROSPECTION are not accepted"
    assert log() == [("ERROR", f"Introspection at {server.introspection_uri} failed: {reason}; next try in 1 seconds")]
    assert len(server.questions) == 1


def test_a_server_that_forbids_may_mean_us_or_the_token(server, log):
    """Some say so of wrong credentials, and firewalls of tokens that anybody can make up: others are asked about."""
    with server.behaving(respond_with("403 Forbidden")):
        for token in ("one", "one", "two"):
            with pytest.raises(IntrospectionUnavailable):
                verify_token(token)
    assert [question.form["token"] for question in server.questions] == ["one", "two"]
    assert {level for level, _ in log()} == {"ERROR"}
    assert "the credentials in INTROSPECTION are not accepted, or this one token is not" in log()[0][1]


@pytest.mark.parametrize("line", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_busy_server_is_left_alone_as_long_as_it_asks(server, line):
    """The client is told the same."""
    with server.behaving(respond_with(line, Retry_After=120)):
        for _ in range(3):
            with pytest.raises(IntrospectionUnavailable) as refusal:
                verify_token("opaque")
            assert 118 <= refusal.value.retry_after <= 120
    assert len(server.questions) == 1


def test_claims_that_every_token_must_have_are_asked_of_answers_too(trust_server):
    """But for ``exp``, which an authorization server may leave out (RFC 7662 section 2.2)."""
    server = trust_server({"REQUIRED_CLAIMS": ["exp", "tenant"]})
    assert verify_token(server.issuer.opaque_token(tenant="a", exp=None)).claims["tenant"] == "a"
    with pytest.raises(InvalidToken) as refusal:
        verify_token(server.issuer.opaque_token())
    assert (refusal.value.reason, refusal.value.detail) == ("missing_claim", "tenant")


def test_an_answer_without_an_issuer_is_the_askeds(trust_server):
    """And where the settings name no issuer, whatever the answer says is so."""
    server = trust_server({"ISSUER": None})
    for token, answer in (("one", {"active": True}), ("two", {"active": True, "iss": "https://whatever.test"})):
        with server.behaving(respond_with(body=json.dumps(answer).encode())):
            assert verify_token(token).issuer == answer.get("iss")


def posted(body=b"", status=200, media_type="application/json", retry_after=0.0):
    return Posted(status, media_type, body, retry_after)


class TestReading:
    """What is an answer, and what is none."""

    @pytest.mark.parametrize("wants_jwt", [True, False])
    @pytest.mark.parametrize(
        ("status", "is_outage"),
        [
            *((status, True) for status in (401, 404, 405, 410, 429, 503)),
            *(
                (status, False)
                for status in (201, 202, 206, 301, 302, 307, 400, 403, 409, 418, 422, 500, 501, 502, 504)
            ),
        ],
    )
    def test_a_status_is_an_outage_or_due_to_the_token(self, status, is_outage, wants_jwt):
        """After an outage nothing is asked for a while; other tokens need not suffer from one."""
        with pytest.raises(FetchFailed, match=rf"^status {status}") as caught:
            read_answer(posted(b'{"active": true}', status, retry_after=7.0), wants_jwt=wants_jwt)
        assert isinstance(caught.value, NoAnswer) == (not is_outage)
        assert caught.value.retry_after == (0 if status == 401 else 7.0)

    @pytest.mark.parametrize(
        ("body", "is_refused"),
        [
            *((b'{"error": "%s"}' % error, True) for error in (b"invalid_client", b"unauthorized_client")),
            *((b'{"error": "%s"}' % error, False) for error in (b"invalid_request", b"INVALID_CLIENT", b"")),
            *((body, False) for body in (b"", b"<html>", b"{}", b'{"error": ["invalid_client"]}', b'{"error": null}')),
            (b'{"error": "x", "error": "invalid_client"}', False),
        ],
    )
    def test_a_400_may_say_that_our_credentials_are_wrong(self, body, is_refused):
        """An error of the project's, and an outage; any other is due to the token."""
        with pytest.raises(FetchFailed, match=r"^status 400") as caught:
            read_answer(posted(body, 400), wants_jwt=False)
        assert isinstance(caught.value, CredentialsRefused) == is_refused
        assert isinstance(caught.value, NoAnswer) == (not is_refused)

    @pytest.mark.parametrize("status", [200, 404, 500])
    def test_no_other_status_does(self, status):
        """Whatever its body says."""
        with pytest.raises(FetchFailed) as caught:
            read_answer(posted(b'{"error": "invalid_client"}', status), wants_jwt=False)
        assert not isinstance(caught.value, CredentialsRefused)

    def test_no_content_is_no_active_token(self):
        """Where a JWT was asked for, there is none then."""
        assert read_answer(posted(status=HTTPStatus.NO_CONTENT), wants_jwt=True) == Inactive()
        with pytest.raises(NoAnswer):
            read_answer(posted(status=HTTPStatus.NO_CONTENT), wants_jwt=False)

    @pytest.mark.parametrize(
        ("wants_jwt", "media_type", "expected"),
        [
            (True, "application/jwt", JwtAnswer(b"a.b.c")),
            (True, "application/token-introspection+jwt", JwtAnswer(b"a.b.c", is_declared=True)),
            (False, "application/token-introspection+jwt", JwtAnswer(b"a.b.c", is_declared=True)),
            (True, "application/json", None),
            (True, "", None),
            (False, "application/jwt", None),
        ],
    )
    def test_a_jwt_is_one_by_its_media_type(self, wants_jwt, media_type, expected):
        """A signed answer may come unasked, an access token may not."""
        if expected is None:
            with pytest.raises(NoAnswer, match=r"^not a JSON object"):
                read_answer(posted(b" a.b.c\n", media_type=media_type), wants_jwt=wants_jwt)
        else:
            assert read_answer(posted(b" a.b.c\n", media_type=media_type), wants_jwt=wants_jwt) == expected

    def test_json_where_a_jwt_was_asked_for_can_only_say_no(self):
        """A server that does not know the media type would else skip the signature."""
        assert read_answer(posted(b'{"active": false}'), wants_jwt=True) == Inactive()
        with pytest.raises(NoAnswer, match=r"^JSON where a JWT was asked for$"):
            read_answer(posted(b'{"active": true}'), wants_jwt=True)
        assert read_answer(posted(b'{"active": true}'), wants_jwt=False) == ActiveClaims({"active": True})

    def test_no_repr_shows_what_was_answered(self):
        """The body may be a token."""
        assert "a.b.c" not in repr(posted(b"a.b.c")) + repr(JwtAnswer(b"a.b.c"))
