"""Where the authorization server is asked: as the settings say, or as its metadata do (RFC 8414)."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from django_oauth_jwt.errors import IntrospectionUnavailable
from django_oauth_jwt.introspection import UNAVAILABLE
from django_oauth_jwt.introspection.endpoint import Endpoint
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.upstream import FetchFailed
from django_oauth_jwt.verification import verify_token

from ..servers.faulty_server import FOREVER

ISSUER = "https://issuer.test"
HOURS = 4 * 3600
JWT = {"Content-Type": "application/jwt"}


@pytest.fixture
def metadata(endpoint):
    """The metadata of the authorization server, and a good answer for every token."""
    metadata = {"issuer": ISSUER, "introspection_endpoint": f"{ISSUER}/a"}
    endpoint.answer = lambda uri, form: {"active": True} if form else dict(metadata)
    return metadata


@pytest.fixture
def discovering(make_asked, metadata):
    """An introspector whose settings name no endpoint."""
    return lambda **introspection: make_asked(**{"ENDPOINT": None, **introspection})


def fetches(endpoint):
    return sum(not form for _, form, _ in endpoint.asked)


def test_the_endpoint_is_discovered(discovering, endpoint):
    """At the first question, in the first place where the metadata are."""
    assert discovering().reason("token") is None
    assert [uri for uri, _, _ in endpoint.asked] == [
        f"{ISSUER}/.well-known/oauth-authorization-server",
        f"{ISSUER}/a",
    ]


#: By name: answers by which nothing is known of a token, made with its issuer.
NO_ANSWERS = {
    "a JWT that is not the server's own": lambda issuer: (200, issuer.token(forged=True), JWT),
    "a signed answer for somebody else": lambda issuer: (
        200,
        issuer.token(aud="x", header={"typ": "token-introspection+jwt"}),
        JWT,
    ),
    "no answer": lambda issuer: (500, "", {}),
    "an answer that says nothing": lambda issuer: {"active": "yes"},
}


@pytest.mark.parametrize("make", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_the_log_names_the_url_that_was_asked(make_asked, metadata, endpoint, log, make):
    """Not the issuer, by whose metadata it was found; also where the judge says that there is no answer."""
    issuer = TokenIssuer(ISSUER, alg="ES256")
    endpoint.answer = lambda uri, form: make(issuer) if form else dict(metadata)
    make_asked({"JWKS_SERVICE": issuer}, ENDPOINT=None, ANSWER="jwt")
    with pytest.raises(IntrospectionUnavailable):
        verify_token("opaque")
    ((_, message),) = log()
    assert message.startswith(f"Introspection at {ISSUER}/a failed: ")


SUPPORTED = {
    "nothing said": (None, "client_secret_basic"),
    "no list": ("client_secret_post", "client_secret_basic"),
    "both": (["client_secret_post", "client_secret_basic"], "client_secret_basic"),
    "the form alone": (["private_key_jwt", "client_secret_post", 5], "client_secret_post"),
}


@pytest.mark.parametrize(("supported", "auth"), SUPPORTED.values(), ids=SUPPORTED)
def test_the_method_is_one_that_the_server_supports(discovering, metadata, supported, auth):
    """As far as it says so, the header first."""
    if supported is not None:
        metadata["introspection_endpoint_auth_methods_supported"] = supported
    assert discovering().introspector.endpoint() == Endpoint(f"{ISSUER}/a", auth)


def test_a_method_that_is_asked_for_holds(discovering, make_asked, metadata):
    """Whatever the metadata say; and an endpoint that is named needs no metadata."""
    metadata["introspection_endpoint_auth_methods_supported"] = ["client_secret_basic"]
    assert discovering(AUTH="client_secret_post").introspector.endpoint().auth == "client_secret_post"
    for auth, expected in ((None, "client_secret_basic"), ("client_secret_post", "client_secret_post")):
        found = make_asked(**({} if auth is None else {"AUTH": auth})).introspector.endpoint()
        assert found == Endpoint(f"{ISSUER}/introspect", expected)


@pytest.mark.parametrize("supported", [[], ["private_key_jwt"], ["tls_client_auth", 5]])
def test_a_server_that_supports_no_method_of_ours_is_not_asked(discovering, metadata, endpoint, log, supported):
    """The log says which ones we have the means for."""
    metadata["introspection_endpoint_auth_methods_supported"] = supported
    assert discovering().reason("token") == UNAVAILABLE
    assert endpoint.tokens == []
    ((level, message),) = log()
    assert level == "WARNING"
    assert message.startswith(f"Introspection at {ISSUER} failed: no metadata found for the issuer (")
    assert "supports none of client_secret_basic, client_secret_post" in message


BAD_METADATA = {
    "no endpoint": {"introspection_endpoint": None},
    "another issuer": {"issuer": "https://other.test"},
    "this machine": {"introspection_endpoint": "http://127.0.0.1:8000/introspect"},
    "this machine by name": {"introspection_endpoint": "http://localhost/introspect"},
    "without TLS": {"introspection_endpoint": "http://issuer.test/introspect"},
    "a file": {"introspection_endpoint": "file:///etc/passwd"},
    "a password": {"introspection_endpoint": "https://user:secret@issuer.test/introspect"},
    "a number": {"introspection_endpoint": 5},
    "a list": {"introspection_endpoint": [f"{ISSUER}/a"]},
}


@pytest.mark.parametrize("fault", BAD_METADATA.values(), ids=BAD_METADATA)
def test_metadata_lead_nowhere_but_to_an_https_url(discovering, metadata, endpoint, fault):
    """Tokens and our secret are sent there: not to this machine, and not in the clear."""
    metadata.update(fault)
    assert discovering().reason("token") == UNAVAILABLE
    assert endpoint.tokens == []


def test_an_authorization_server_on_this_machine_may_lead_to_it(trust_server):
    """As in development: its own issuer is one of this machine's."""
    server = trust_server(ENDPOINT=None)
    server.metadata["/.well-known/oauth-authorization-server"] = {
        "issuer": server.origin,
        "introspection_endpoint": server.introspection_uri,
    }
    assert verify_token(server.issuer.opaque_token("read")).scopes == {"read"}


@pytest.fixture
def crowd():
    """Have threads ask for the endpoint, all while the first of them is fetching the metadata."""

    def crowd(asked, endpoint, answer, number=20):
        def held(uri, form):
            assert all_wait.wait(FOREVER)
            return answer(uri, form)

        finder, all_wait, waiting = asked.introspector._questions.endpoints, threading.Event(), []
        lock = finder._lock

        class Counting:
            """The lock, which lets the fetch go on when all have come to it."""

            def __enter__(self):
                waiting.append(None)
                if len(waiting) == number:
                    all_wait.set()
                return lock.__enter__()

            def __exit__(self, *args):
                return lock.__exit__(*args)

        finder._lock, endpoint.answer = Counting(), held

        def find():
            try:
                return finder.find()
            except FetchFailed as failure:
                return str(failure), failure.error_type

        with ThreadPoolExecutor(number) as pool:
            return [future.result(FOREVER) for future in [pool.submit(find) for _ in range(number)]]

    return crowd


def test_a_cold_start_fetches_the_metadata_once(discovering, metadata, endpoint, crowd):
    """However many tokens are asked about."""
    found = crowd(discovering(), endpoint, lambda uri, form: dict(metadata))
    assert set(found) == {Endpoint(f"{ISSUER}/a", "client_secret_basic")}
    assert fetches(endpoint) == 1


def test_a_cold_start_in_an_outage_tries_once(discovering, endpoint, crowd):
    """Each of the others would else try for itself, one after the other, a server that is to be left alone."""
    asked = discovering()
    ((reason, error_type),) = set(crowd(asked, endpoint, lambda uri, form: ConnectionError("down")))
    assert reason.startswith("no metadata found for the issuer (")
    assert error_type == "ConnectionError"
    assert fetches(endpoint) == 2  # the two places of an issuer without a path
    endpoint.answer = lambda uri, form: {"issuer": ISSUER, "introspection_endpoint": f"{ISSUER}/b"}
    assert asked.introspector.endpoint().uri == f"{ISSUER}/b"


def test_the_metadata_are_good_for_some_hours(discovering, metadata, endpoint, clock):
    """JWKS_STALE_SECONDS, as for the keys."""
    asked = discovering()
    asked.reason("token")
    metadata["introspection_endpoint"] = f"{ISSUER}/b"
    clock.advance(HOURS - 1)
    assert asked.introspector.endpoint().uri == f"{ISSUER}/a"
    clock.advance(1)
    assert asked.introspector.endpoint().uri == f"{ISSUER}/b"
    assert fetches(endpoint) == 2


@pytest.mark.parametrize("failure", [ConnectionError("gone"), (404, "", {}), (401, "", {}), (503, "", {})])
def test_an_endpoint_that_does_not_answer_is_looked_for_again(discovering, metadata, endpoint, clock, failure):
    """It may have moved."""
    asked = discovering()
    asked.reason("token")
    metadata["introspection_endpoint"] = f"{ISSUER}/b"
    endpoint.answer = lambda uri, form: (
        (failure if uri.endswith("/a") else {"active": True}) if form else dict(metadata)
    )
    assert asked.reason("other") == UNAVAILABLE
    clock.advance(1)
    assert asked.reason("other") is None
    assert endpoint.asked[-1][0] == f"{ISSUER}/b"


@pytest.mark.parametrize("answer", [(500, "", {}), (200, "<html>", {}), (400, "", {}), {"active": "yes"}])
def test_one_bad_answer_moves_no_endpoint(discovering, metadata, endpoint, clock, answer):
    """It is due to the token."""
    asked = discovering()
    endpoint.answer = lambda uri, form: answer if form else dict(metadata)
    asked.reason("token")
    clock.advance(2)
    asked.reason("token")
    assert fetches(endpoint) == 1


def test_a_busy_server_of_metadata_is_left_alone(discovering, endpoint, clock):
    """For as long as it asks to be."""
    endpoint.answer = lambda uri, form: (429, "", {"Retry-After": "120"})
    asked = discovering()
    assert asked.reason("token") == UNAVAILABLE
    assert asked.introspector.state.retry_at == clock() + 120


def test_a_busy_server_of_metadata_is_left_alone_where_the_endpoint_is_known(discovering, metadata, endpoint, clock):
    """The endpoint from before answers meanwhile."""
    asked = discovering()
    asked.reason("token")
    clock.advance(HOURS)
    endpoint.answer = lambda uri, form: {"active": True} if form else (429, "", {"Retry-After": "120"})
    for seconds, fetched in ((0, 3), (119, 3), (1, 5)):
        clock.advance(seconds)
        assert asked.introspector.endpoint().uri == f"{ISSUER}/a"
        assert fetches(endpoint) == fetched  # the two places of an issuer without a path
