"""The JWKS URI found from the issuer, with the same care as the keys (RFC 8414, OpenID Connect Discovery)."""

import json
import math
from dataclasses import replace

import pytest
import responses

from django_oauth_jwt.errors import KeysUnavailable
from django_oauth_jwt.jwks import JwksService
from django_oauth_jwt.signals import jwks_refresh_failed
from django_oauth_jwt.upstream import FetchFailed, HttpClient, discover_jwks_uri, metadata_uris

from ..servers.faulty_server import FAULTS, answer_as_it_should, respond_with
from .inside import change, inside, keys_of

OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
FRESH, STALE = 300, 14400


@pytest.fixture
def publish(auth_server):
    """Have the server publish metadata at a path; members that are None are left out."""

    def publish(path, **members):
        document = {"issuer": auth_server.origin, "jwks_uri": auth_server.uri, **members}
        auth_server.metadata[path] = {name: value for name, value in document.items() if value is not None}

    return publish


@pytest.fixture
def discovering_service(make_service, auth_server):
    """A service that knows the issuer alone."""
    return make_service(None, issuer=auth_server.origin)


def paths(auth_server):
    return [exchange.path for exchange in auth_server.requests]


@pytest.mark.parametrize(
    ("issuer", "places"),
    [
        ("https://as.example.com", [OAUTH, OPENID]),
        ("https://as.example.com/", [OAUTH, OPENID]),
        *(
            (
                f"https://as.example.com/realms/one{slash}",
                [f"{OAUTH}/realms/one", f"{OPENID}/realms/one", f"/realms/one{OPENID}"],
            )
            for slash in ("", "/")
        ),
    ],
)
def test_the_places_of_the_metadata(issuer, places):
    """RFC 8414 puts the well-known part before the path, for OpenID Connect too, which itself puts it behind."""
    assert metadata_uris(issuer) == [f"https://as.example.com{place}" for place in places]


def test_oauth_metadata_come_first(discovering_service, publish, status_of, auth_server):
    """Where RFC 8414's document stands, no other is asked for."""
    publish(OAUTH)
    publish(OPENID, jwks_uri="https://nowhere.example.com/")
    assert status_of(discovering_service) == 200
    assert paths(auth_server) == [OAUTH, "/jwks"]


@pytest.mark.parametrize(
    "first",
    [None, {"issuer": "https://other.example.com"}, {"jwks_uri": None}, {"jwks_uri": 5}],
    ids=["absent", "of another issuer", "without jwks_uri", "with a jwks_uri that is none"],
)
def test_openid_metadata_are_the_second_choice(first, discovering_service, publish, status_of, auth_server):
    """Where the first document is absent or no good, the second is asked for."""
    if first is not None:
        publish(OAUTH, **first)
    publish(OPENID)
    assert status_of(discovering_service) == 200
    assert paths(auth_server) == [OAUTH, OPENID, "/jwks"]


@pytest.mark.parametrize("suffix", ["/", "/other", "#", " ", "\u200b"])
def test_the_issuer_is_equal_to_the_letter(suffix, discovering_service, publish, status_of, auth_server, heard):
    """Metadata of an issuer that is nearly the same are another issuer's; the reason shows how it spells itself."""
    other = auth_server.origin + suffix
    publish(OAUTH, issuer=other)
    publish(OPENID, issuer=None)
    assert status_of(discovering_service) == 503
    reasons = {OAUTH: f"metadata of another issuer: {other!a}", OPENID: "metadata of another issuer: none"}
    told = "; ".join(f"{auth_server.origin}{place}: {reason}" for place, reason in reasons.items())
    assert heard.next()[2] == f"no metadata found for the issuer ({told})"


def test_metadata_of_openid_connect_are_found_where_rfc_8414_has_them(
    make_service, publish, status_of, auth_server, settings
):
    """Section 5: for an issuer with a path, the well-known part may stand before it."""
    issuer = f"{auth_server.origin}/realms/one"
    publish(f"{OPENID}/realms/one", issuer=issuer)
    service = make_service(None, issuer=issuer)
    assert service.refresh().knows("key-1", "ES256")
    assert paths(auth_server) == [f"{OAUTH}/realms/one", f"{OPENID}/realms/one", "/jwks"]


def test_the_log_names_each_address_that_was_asked(make_service, publish, status_of, auth_server, log):
    """With a typing error in JWKS_URI, the one that was asked and not the issuer; what may be secret is left out."""
    service = make_service(f"{auth_server.origin}/jwsk?token=secret", issuer=auth_server.origin)
    assert status_of(service) == 503
    assert log()[-1] == f"JWKS fetch from {auth_server.origin}/jwsk failed: status 404; next try in 1 seconds"
    publish(OAUTH, jwks_uri=f"{auth_server.origin}/gone")
    assert status_of(make_service(None, issuer=auth_server.origin)) == 503
    assert log()[-1] == f"JWKS fetch from {auth_server.origin}/gone failed: status 404; next try in 1 seconds"


@pytest.mark.parametrize("name", ["gone", "gone?token=secret"])
def test_a_failure_tells_the_address_that_was_asked(make_service, publish, auth_server, settle, name):
    """To receivers of the signal, and through the shared cache to other processes; nothing that may be secret."""
    told = []

    def tell(uri, **kwargs):
        told.append(uri)

    uri = f"{auth_server.origin}/gone"
    publish(OAUTH, jwks_uri=f"{auth_server.origin}/{name}")
    jwks_refresh_failed.connect(tell)
    try:
        service = make_service(None, issuer=auth_server.origin)
        assert service.inspect(fetch=True).uri == uri
        settle(service)
        assert make_service(None, issuer=auth_server.origin).inspect().uri == uri
    finally:
        jwks_refresh_failed.disconnect(tell)
    assert told == [uri]


def test_the_log_says_which_issuer_has_no_keys(discovering_service, status_of, auth_server, log):
    """With several authorization servers one sees which of them is down, and which one is back."""
    assert status_of(discovering_service) == 503
    assert log()[-1].startswith(f"JWKS fetch from {auth_server.origin} failed: ")


@pytest.mark.parametrize(
    "jwks_uri",
    [
        "http://as.example.com/jwks",
        "https://user:password@as.example.com/jwks",
        "http://as.example.com\\@localhost/jwks",
        "file:///etc/passwd",
        "//localhost/jwks",
        "https://as.example.com/jwks#keys",
        "https://as.example.com/\njwks",
        "",
    ],
)
def test_a_jwks_uri_is_subject_to_the_rule_of_the_setting(
    jwks_uri, discovering_service, publish, status_of, auth_server, heard
):
    """What the metadata says is asked only if it could stand in the settings."""
    publish(OAUTH, jwks_uri=jwks_uri)
    assert status_of(discovering_service) == 503
    assert heard.next()[2].startswith(
        f"no metadata found for the issuer ({auth_server.origin}{OAUTH}: "
        "metadata without a jwks_uri that is an https URL"
    )
    assert paths(auth_server) == [OAUTH, OPENID]


@pytest.mark.parametrize(
    ("issuer", "jwks_uri", "insecure", "is_fit"),
    [
        ("https://as.example.com", "https://keys.example.com/jwks", False, True),
        ("https://as.example.com", "HTTPS://keys.example.com/jwks", False, True),
        ("https://as.example.com", "http://127.0.0.1:6379/", False, False),
        ("https://as.example.com", "http://localhost/jwks", False, False),
        ("https://as.example.com", "http://as.internal/jwks", True, True),
        ("https://as.example.com", "http://localhost/jwks", True, True),
        ("http://localhost:8000", "http://127.0.0.1:9000/jwks", False, True),
        ("http://localhost:8000", "http://as.example.com/jwks", False, False),
        ("http://localhost:8000", "https://as.example.com/jwks", False, True),
    ],
)
def test_only_an_issuer_on_this_machine_leads_to_this_machine(issuer, jwks_uri, insecure, is_fit):
    """A server elsewhere cannot have us ask what listens on loopback, unless the project allows plain http."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        for uri in metadata_uris(issuer):
            mocked.get(uri, json={"issuer": issuer, "jwks_uri": jwks_uri})
        client = HttpClient(allow_insecure_http=insecure)
        if is_fit:
            assert discover_jwks_uri(issuer, client) == jwks_uri
        else:
            with pytest.raises(FetchFailed, match="metadata without a jwks_uri that is an https URL"):
                discover_jwks_uri(issuer, client)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_of_the_metadata_is_a_503_with_its_reason(
    name, discovering_service, publish, status_of, auth_server, clock, heard
):
    """Time limit, size limit and strictness are those of the keys; a success ends the outage."""
    fault, reason = FAULTS[name]
    publish(OAUTH)
    if reason.startswith("no whole answer"):
        inside(discovering_service).client.timeout = 0.1
    with auth_server.behaving(fault):
        assert [status_of(discovering_service) for _ in range(2)] == [503, 503]
        assert paths(auth_server) == [OAUTH, OPENID]
    told = heard.next()[2]
    # Documents that are JSON objects are no JWKS fault here, but metadata of nobody.
    assert reason in told or "metadata of another issuer" in told
    inside(discovering_service).client.timeout = 60
    clock.advance(1)
    assert status_of(discovering_service) == 200


def test_discovery_is_not_repeated_at_each_refresh(discovering_service, publish, status_of, auth_server, clock, settle):
    """The JWKS URI is asked for again when it has become stale, or when a fetch failed: it may have moved."""
    publish(OAUTH)
    assert status_of(discovering_service) == 200
    clock.advance(FRESH)
    assert status_of(discovering_service) == 200
    settle(discovering_service)
    assert paths(auth_server) == [OAUTH, "/jwks", "/jwks"]
    clock.advance(STALE)
    assert status_of(discovering_service) == 200
    assert paths(auth_server) == [OAUTH, "/jwks", "/jwks", OAUTH, "/jwks"]


def test_keys_that_moved_are_found(discovering_service, publish, status_of, auth_server, clock, settle):
    """When the old address fails, the metadata are asked for the new one at the next try."""
    publish(OAUTH)
    assert status_of(discovering_service) == 200
    auth_server.jwks_path = "/moved"
    publish(OAUTH, jwks_uri=f"{auth_server.origin}/moved")
    clock.advance(FRESH)
    assert status_of(discovering_service) == 200
    settle(discovering_service)
    clock.advance(1)
    assert status_of(discovering_service) == 200
    settle(discovering_service)
    assert paths(auth_server)[2:] == ["/jwks", OAUTH, "/moved"]


@pytest.fixture
def moved(discovering_service, publish, status_of, auth_server):
    """The server has a new key at another address, and still answers at the old one with the old key."""
    publish(OAUTH)
    assert status_of(discovering_service) == 200
    old = respond_with(body=json.dumps(auth_server.jwks()).encode())
    auth_server.issuer.rotate()
    auth_server.jwks_path = "/moved"
    auth_server.fault = lambda exchange: (old if exchange.path == "/jwks" else answer_as_it_should)(exchange)
    return discovering_service


def test_a_new_key_is_looked_for_where_the_keys_have_moved(moved, publish, discovering_service, status_of, auth_server):
    """The old address still answers, but the metadata name another one by now."""
    publish(OAUTH, jwks_uri=f"{auth_server.origin}/moved")
    assert status_of(discovering_service) == 200
    assert paths(auth_server)[2:] == ["/jwks", OAUTH, "/moved"]
    assert keys_of(discovering_service).fetch.uri == f"{auth_server.origin}/moved"


@pytest.mark.parametrize("jwks_uri", ["/jwks", "/gone", None], ids=["not moved", "moved to nowhere", "no metadata"])
def test_keys_that_are_nowhere_else_cost_no_keys(
    jwks_uri, heard, moved, publish, discovering_service, status_of, auth_server
):
    """An unknown key is refused, and what the old address answered is as good as before."""
    publish(OAUTH, jwks_uri=jwks_uri and auth_server.origin + jwks_uri)
    assert heard.next()[0] == "refreshed"
    assert status_of(discovering_service) == 403
    assert heard.next()[0] == "refreshed"
    assert discovering_service.current().knows("key-1", "ES256")


@pytest.mark.parametrize("busy", [OAUTH, "/moved"], ids=["the metadata", "where the keys are now"])
def test_what_is_busy_while_a_new_key_is_looked_for_is_left_alone(
    busy, moved, publish, status_of, auth_server, clock, settle
):
    """As long as it asks to be, whatever unknown keys come and though a fetch of the keys fails; they stay as known."""
    publish(OAUTH, jwks_uri=f"{auth_server.origin}/moved")
    as_before, is_down, first = auth_server.fault, False, len(paths(auth_server))

    def fault(exchange):
        if exchange.path == busy:
            return respond_with("429 Too Many Requests", Retry_After="600")(exchange)
        return (respond_with("500 Internal Server Error") if is_down else as_before)(exchange)

    auth_server.fault = fault
    for number in range(19):
        is_down = number == 2
        assert status_of(moved, auth_server.issuer.token(header={"kid": f"made-up-{number}"})) == 403
        settle(moved)
        clock.advance(31)
        assert paths(auth_server)[first:].count(busy) == 1
    assert paths(auth_server)[first:].count("/jwks") == 19
    auth_server.fault = as_before
    clock.advance(11)
    assert status_of(moved) == 200
    assert paths(auth_server)[-2:] == [OAUTH, "/moved"]


def test_a_busy_place_of_the_metadata_is_heard_whichever_it_is(auth_server):
    """The longest time that one of the places asks for counts."""
    for busy, other in ((OAUTH, OPENID), (OPENID, OAUTH)):
        waits = {busy: "120", other: "5"}
        auth_server.fault = lambda exchange, waits=waits: respond_with(
            "429 Too Many Requests", Retry_After=waits[exchange.path]
        )(exchange)
        with pytest.raises(FetchFailed) as failure:
            discover_jwks_uri(auth_server.origin, HttpClient())
        assert failure.value.retry_after == 120


def test_a_search_asks_for_nothing_twice(moved, publish, status_of, auth_server):
    """Where the metadata name the same address, its answer stands."""
    assert status_of(moved) == 403
    assert paths(auth_server)[2:] == ["/jwks", OAUTH]


def test_metadata_that_have_just_been_asked_for_are_not_asked_again(
    discovering_service, publish, status_of, auth_server, clock, settle
):
    """After a failure the address is discovered anew, so the search has no older one that keys moved from."""
    publish(OAUTH)
    assert status_of(discovering_service) == 200
    with auth_server.behaving(respond_with("500 Internal Server Error")):
        clock.advance(FRESH)
        assert status_of(discovering_service) == 200
        settle(discovering_service)
    change(
        discovering_service, snapshot=replace(keys_of(discovering_service), fresh_until=math.inf)
    )  # it is refreshed no more
    clock.advance(1)
    assert status_of(discovering_service, auth_server.issuer.token(header={"kid": "made-up"})) == 403
    assert paths(auth_server)[3:] == [OAUTH, "/jwks"]


def test_an_address_that_was_given_is_the_only_one(make_service, publish, status_of, auth_server):
    """With a JWKS URI of one's own nothing is discovered, not even for an unknown key."""
    publish(OAUTH)
    service = make_service(issuer=auth_server.origin)
    assert status_of(service) == 200
    assert status_of(service, auth_server.issuer.token(header={"kid": "made-up"})) == 403
    assert paths(auth_server) == ["/jwks", "/jwks"]


def test_an_etag_is_not_taken_to_another_address(discovering_service, publish, status_of, auth_server, clock, settle):
    """A discovered address may have changed, so each answer is a whole one."""
    publish(OAUTH)
    auth_server.has_etags = True
    assert status_of(discovering_service) == 200
    clock.advance(FRESH)
    assert status_of(discovering_service) == 200
    settle(discovering_service)
    assert "if-none-match" not in auth_server.requests[-1].headers


def test_failed_discovery_backs_off(discovering_service, status_of, auth_server, clock):
    """Failures of the metadata count as those of the keys do."""
    auth_server.fault = respond_with("500 Internal Server Error")
    for tries, delay in ((1, 1), (2, 2), (3, 4)):
        assert [status_of(discovering_service) for _ in range(2)] == [503, 503]
        assert len(auth_server.requests) == 2 * tries
        clock.advance(delay)


def test_two_processes_discover_once(make_service, publish, status_of, auth_server):
    """What one process found serves the other through the shared cache."""
    publish(OAUTH)
    services = [make_service(None, issuer=auth_server.origin) for _ in range(2)]
    assert [status_of(service) for service in services] == [200, 200]
    assert paths(auth_server) == [OAUTH, "/jwks"]


def test_a_service_needs_a_source():
    """Neither a JWKS URI nor an issuer: that is a mistake in the code."""
    with pytest.raises(ValueError, match="needs a jwks_uri, or an issuer"):
        JwksService()


def test_an_issuer_shares_nothing_with_a_jwks_uri_of_the_same_name(make_service, auth_server):
    """A tenant who names another's JWKS URI as issuer has neither the other's keys, nor a failure that keeps it out."""

    def refuse():
        with pytest.raises(KeysUnavailable):
            make_service(None, issuer=auth_server.uri).key_set_for("key-1", "RS256")

    refuse()
    assert [key.kid for key in make_service().key_set_for("key-1", "RS256")] == ["key-1"]
    refuse()
