"""What a token's ``cnf`` requires of the request, and that nothing else will do."""

import sys
from traceback import walk_tb
from types import SimpleNamespace

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.test import RequestFactory

from django_oauth_jwt.conf import get_settings
from django_oauth_jwt.errors import BearerError
from django_oauth_jwt.proofs import BEARER, DPOP, RequestFacts, binding, binding_steps, facts_of, must_prove
from django_oauth_jwt.proofs.nonce import new_nonce
from django_oauth_jwt.proofs.replay import cache_key
from django_oauth_jwt.upstream import run_blocking

from .bad_proofs import BAD
from .certificates import PEM
from .forge import METHOD, URL, token_of
from .rfc_vectors import X5T

OTHER_X5T = "x" * 43


def reason_of(run, token, facts, trusting):
    """Why a token is refused, None where it is its sender's own."""
    try:
        run(binding_steps(token, facts, *trusting))
    except BearerError as error:
        return error.reason
    return None


def certified(thumbprint, scheme=BEARER, proof=None):
    """A request over a connection with this certificate."""
    return RequestFacts(scheme, METHOD, URL, proof, lambda: thumbprint)


def test_a_token_that_is_bound_to_nobody_is_a_bearer_token(run, trusting):
    """As before, and whatever the connection shows."""
    for facts in (certified(None), certified(X5T)):
        assert reason_of(run, token_of(), facts, trusting()) is None


def test_a_token_that_is_bound_to_a_key_needs_its_scheme_and_its_proof(run, forge, trusting):
    """Sent as Bearer it is refused, though the proof is there: the client may have been made to downgrade."""
    trusting = trusting()
    assert reason_of(run, forge.token, forge.facts(forge.proof()), trusting) is None
    assert reason_of(run, forge.token, forge.facts(forge.proof(), scheme=BEARER), trusting) == "unproven"
    assert reason_of(run, forge.token, forge.facts(None, scheme=BEARER), trusting) == "unproven"
    assert reason_of(run, forge.token, forge.facts(None), trusting) == "missing_proof"


def test_a_token_that_is_bound_to_no_key_is_refused_with_the_scheme_of_proofs(run, forge, trusting):
    """A proof by whatever key would prove nothing (RFC 9449 section 7.1)."""
    for cnf in ({}, {"cnf": {"x5t#S256": X5T}}):
        facts = forge.facts(forge.proof(), certificate=lambda: X5T)
        assert reason_of(run, token_of(**cnf), facts, trusting()) == "unproven"


def test_a_token_that_is_bound_to_a_certificate_needs_that_one(run, trusting):
    """Over the connection that shows it, and over no other."""
    token = token_of(cnf={"x5t#S256": X5T})
    assert reason_of(run, token, certified(X5T), trusting()) is None
    assert reason_of(run, token, certified(OTHER_X5T), trusting()) == "unproven"
    assert reason_of(run, token, certified(None), trusting()) == "unproven"


@pytest.mark.parametrize(
    ("scheme", "certificate", "has_proof", "reason"),
    [
        (DPOP, X5T, True, None),
        (DPOP, OTHER_X5T, True, "unproven"),
        (DPOP, None, True, "unproven"),
        (DPOP, X5T, False, "missing_proof"),
        (BEARER, X5T, True, "unproven"),
        (BEARER, X5T, False, "unproven"),
    ],
)
def test_a_token_that_is_bound_twice_needs_both(run, forge, trusting, scheme, certificate, has_proof, reason):
    """One of them would make the other worth nothing."""
    token = token_of(cnf={"jkt": forge.key.thumbprint, "x5t#S256": X5T})
    facts = certified(certificate, scheme, forge.proof() if has_proof else None)
    assert reason_of(run, token, facts, trusting()) == reason


#: By ``cnf``: why the token is refused, whichever way it is sent.
UNUSABLE = [
    *((cnf, "malformed_claim") for cnf in (None, "", "x", 1, True, [], [{"jkt": "x"}])),
    *(({"jkt": value}, "malformed_claim") for value in (None, 1, True, ["x"], {})),
    *(({"x5t#S256": value}, "malformed_claim") for value in (None, 1, True, ["x"], {})),
    ({"jkt": 1, "x5t#S256": X5T}, "malformed_claim"),
    ({"jkt": "x", "x5t#S256": None}, "malformed_claim"),
    *(
        (cnf, "unproven")
        for cnf in ({}, {"kid": "x"}, {"jwk": {"kty": "EC"}}, {"x5t": "x"}, {"JKT": "x"}, {"jku": "x"})
    ),
    ({"x5t#s256": X5T}, "unproven"),
]


@pytest.mark.parametrize(("cnf", "reason"), UNUSABLE)
@pytest.mark.parametrize("scheme", [BEARER, DPOP])
def test_a_confirmation_that_cannot_be_checked_is_refused(run, forge, trusting, cnf, reason, scheme):
    """The token is bound to somebody, so it is good for nobody else (RFC 7800 section 3.1)."""
    token = token_of(cnf=cnf)
    assert must_prove(token, scheme, trusting()[0].settings)
    assert reason_of(run, token, certified(X5T, scheme, forge.proof()), trusting()) == reason


def test_members_that_are_not_known_do_not_count_beside_one_that_is(run, forge, trusting):
    """RFC 7800 section 3.1 lets an authorization server add some."""
    others = {"kid": "x", "jwk": {}, "x5t#uri": 5, "": None}
    token = token_of(cnf={**others, "jkt": forge.key.thumbprint})
    assert reason_of(run, token, forge.facts(forge.proof()), trusting()) is None
    assert reason_of(run, token_of(cnf={**others, "x5t#S256": X5T}), certified(X5T), trusting()) is None


@pytest.mark.parametrize("jkt", ["", "x", "\u00e9"])
def test_a_thumbprint_that_is_none_is_nobodys(run, forge, trusting, jkt):
    """It is compared, and equal to no key's."""
    assert reason_of(run, token_of(cnf={"jkt": jkt}), forge.facts(forge.proof()), trusting()) == "wrong_proof_key"


def test_only_bound_tokens_are_accepted_where_the_settings_say_so(run, forge, trusting):
    """REQUIRE_BOUND_TOKENS, of the token's own issuer."""
    requiring = trusting(REQUIRE_BOUND_TOKENS=True)
    assert reason_of(run, token_of(), certified(X5T), requiring) == "unproven"
    assert reason_of(run, forge.token, forge.facts(forge.proof()), requiring) is None
    assert reason_of(run, token_of(cnf={"x5t#S256": X5T}), certified(X5T), requiring) is None


def test_an_issuer_may_require_bound_tokens_for_itself(run, trusting):
    """Those of another one are accepted unbound; but all have to be looked at."""
    runtime, own = trusting(ISSUERS={"https://b.test": {"REQUIRE_BOUND_TOKENS": True}})
    assert must_prove(token_of(), BEARER, runtime.settings)
    assert reason_of(run, token_of(), certified(None), (runtime, own)) is None
    other = runtime.settings.issuers["https://b.test"]
    assert reason_of(run, token_of(), certified(None), (runtime, other)) == "unproven"


def test_an_issuer_that_is_not_listed_has_to_be_looked_at_too(settings):
    """A view's own key service may bring tokens of one, for which the settings of all issuers hold."""
    listed = {"https://b.test": {"REQUIRE_BOUND_TOKENS": False}}
    settings.OAUTH_JWT = {"REQUIRE_BOUND_TOKENS": True, "ISSUERS": listed}
    assert must_prove(token_of(), BEARER, get_settings())


def test_nothing_is_checked_of_an_unbound_bearer_token(forge, trusting):
    """So it costs nothing; whatever else is sent may have something to prove."""
    settings = trusting()[0].settings
    assert not must_prove(token_of(), BEARER, settings)
    assert must_prove(token_of(), DPOP, settings)
    assert must_prove(forge.token, BEARER, settings)
    assert must_prove(forge.token, DPOP, settings)
    assert must_prove(token_of(), BEARER, trusting(REQUIRE_BOUND_TOKENS=True)[0].settings)


@pytest.mark.parametrize(("make", "reason"), BAD.values(), ids=BAD)
def test_a_bad_proof_is_refused_and_nothing_of_it_is_remembered(forge, trusting, make, reason):
    """The cache is asked last: whoever sends rubbish fills no cache, and uses up nobody's jti."""
    assert reason_of(run_blocking, forge.token, forge.facts(make(forge)), trusting()) == reason
    assert not LocMemCache("django_oauth_jwt proofs default", {})._cache


def test_a_proof_is_good_once(run, forge, trusting):
    """The same one again is a replay, also for another token of the same key; another one is not."""
    trusting, facts = trusting(), forge.facts(forge.proof(jti="1"))
    assert reason_of(run, forge.token, facts, trusting) is None
    assert reason_of(run, forge.token, facts, trusting) == "replayed_proof"
    assert (
        reason_of(run, forge.token, forge.facts(forge.proof(jti="1", iat=1_800_000_001)), trusting) == "replayed_proof"
    )
    assert reason_of(run, forge.token, forge.facts(forge.proof(jti="2")), trusting) is None


def test_a_jti_is_the_keys_own(run, forge, trusting):
    """Two clients that count their proofs do not meet."""
    theirs = token_of(cnf={"jkt": forge.other.thumbprint})
    facts = forge.facts(forge.other.headers(theirs.encoded, METHOD, URL, jti="1")["DPoP"])
    assert reason_of(run, theirs, facts, trusting()) is None
    assert reason_of(run, forge.token, forge.facts(forge.proof(jti="1")), trusting()) is None


@pytest.mark.parametrize(("skew", "seconds"), [(0, 60), (30, 60), (-30, 60), (-90, 60), (0, 10), (30, 10), (-40, 10)])
def test_a_proof_is_remembered_as_long_as_it_could_be_used_again(run, forge, trusting, frozen_time, skew, seconds):
    """Of a client whose clock is ahead that is longer: at each moment it is new, replayed or stale, and new once."""
    trusting, begin = trusting(DPOP={"PROOF_SECONDS": seconds}), frozen_time.now
    facts = forge.facts(forge.proof(iat=int(begin) + skew))
    assert reason_of(run, forge.token, facts, trusting) is None
    for after in range(0, 200, 5):
        frozen_time.now = begin + after
        is_stale = after - skew > seconds + 30
        assert reason_of(run, forge.token, facts, trusting) == ("stale_proof" if is_stale else "replayed_proof")


def test_a_proof_is_remembered_for_servers_whose_clocks_are_behind(run, forge, trusting, frozen_time, monkeypatch):
    """By as much as one clock may err with the leeway in both directions: the proof is good there for longer."""
    trusting, begin = trusting(), frozen_time.now
    facts = forge.facts(forge.proof(iat=int(begin) + 30))
    assert reason_of(run, forge.token, facts, trusting) is None
    monkeypatch.setattr(binding, "time", SimpleNamespace(time=lambda: frozen_time.now - 60))
    for after, reason in ((180, "replayed_proof"), (181, "stale_proof")):
        frozen_time.now = begin + after
        assert reason_of(run, forge.token, facts, trusting) == reason


def test_leeway_is_the_issuers(run, forge, trusting):
    """As for the times of its tokens."""
    trusting = trusting(LEEWAY=0)
    assert reason_of(run, forge.token, forge.facts(forge.proof(iat=1_800_000_001)), trusting) == "stale_proof"
    assert reason_of(run, forge.token, forge.facts(forge.proof(iat=1_799_999_940)), trusting) is None


def test_the_settings_decide_which_proofs_are_accepted(run, forge, trusting):
    """DPOP["ALGORITHMS"] and DPOP["PROOF_SECONDS"]."""
    for dpop, iat, reason in (
        ({"ALGORITHMS": ["EdDSA"]}, 0, "malformed_proof"),
        ({"ALGORITHMS": ["EdDSA", "ES256"]}, 0, None),
        ({"PROOF_SECONDS": 5}, 36, "stale_proof"),
        ({"PROOF_SECONDS": 5}, 35, None),
    ):
        facts = forge.facts(forge.proof(iat=1_800_000_000 - iat))
        assert reason_of(run, forge.token, facts, trusting(DPOP=dpop)) == reason


def test_a_nonce_is_required_where_the_settings_say_so(run, forge, trusting, frozen_time):
    """A proof without one, or with one that is too old, gets the one to use; a good one is renewed half way."""
    trusting, now = trusting(DPOP={"NONCE": True}), frozen_time.now

    def given(**faults):
        return run(binding_steps(forge.token, forge.facts(forge.proof(**faults)), *trusting))

    for nonce in (None, "", "other", new_nonce(now - 61)):
        with pytest.raises(BearerError) as caught:
            given(nonce=nonce)
        assert (caught.value.error, caught.value.status) == ("use_dpop_nonce", 401)
        assert given(nonce=caught.value.nonce) is None
    assert given(nonce=new_nonce(now - 20)) is None
    assert given(nonce=given(nonce=new_nonce(now - 40))) is None


def test_a_proof_that_needs_a_nonce_is_not_used_up(run, forge, trusting):
    """A client may send it again with the nonce, under the same jti."""
    trusting = trusting(DPOP={"NONCE": True})
    assert reason_of(run, forge.token, forge.facts(forge.proof(jti="1")), trusting) == "use_dpop_nonce"
    facts = forge.facts(forge.proof(jti="1", nonce=new_nonce(1_800_000_000)))
    assert reason_of(run, forge.token, facts, trusting) is None


def test_without_the_setting_no_nonce_is_given(run, forge, trusting):
    """And none that is sent is looked at."""
    facts = forge.facts(forge.proof(nonce="of the authorization server"))
    assert run(binding_steps(forge.token, facts, *trusting())) is None


def test_the_thumbprint_and_the_jti_are_what_is_remembered(run, forge, trusting):
    """Neither of them to be read in the cache."""
    run(binding_steps(forge.token, forge.facts(forge.proof(jti="1")), *trusting()))
    (key,) = LocMemCache("django_oauth_jwt proofs default", {})._cache
    assert key.endswith(cache_key(forge.key.thumbprint, "1"))
    assert forge.key.thumbprint not in key


def test_the_details_say_what_is_lacking(forge, trusting):
    """The client is told the same of all, the project's log what it is."""
    cases = [
        (token_of(), certified(None), {"REQUIRE_BOUND_TOKENS": True}, "REQUIRE_BOUND_TOKENS"),
        (token_of(), certified(None, DPOP), {}, "sent as DPoP"),
        (forge.token, certified(None), {}, "sent as Bearer"),
        (token_of(cnf={}), certified(None), {}, "no method in cnf"),
        (token_of(cnf=5), certified(None), {}, "cnf"),
        (token_of(cnf={"jkt": 5}), certified(None), {}, "jkt in cnf"),
        (token_of(cnf={"x5t#S256": X5T}), certified(None), {}, "no certificate"),
        (token_of(cnf={"x5t#S256": X5T}), certified(OTHER_X5T), {}, "another certificate"),
    ]
    for token, facts, settings, detail in cases:
        with pytest.raises(BearerError) as caught:
            run_blocking(binding_steps(token, facts, *trusting(**settings)))
        assert detail in caught.value.detail


class Broken(Exception):
    """What a project's code ends in."""


def fail(*args, **kwargs):
    raise Broken


def shown(run, steps):
    """Return what an error report shows of the variables of the frames, with those of the causes."""
    try:
        run(steps)
    except Exception:  # noqa: BLE001  # what is raised is the test's affair
        error, found = sys.exc_info()[1], []
    while error is not None:
        found += [repr(frame.f_locals) for frame, _ in walk_tb(error.__traceback__) if _is_ours(frame)]
        error = error.__cause__ or error.__context__
    return found


def _is_ours(frame):
    return frame.f_globals["__name__"].startswith("django_oauth_jwt.")


def can_be_read(found, text):
    return any(
        part[at : at + 12] in one for one in found for part in text.split(".")[1:] for at in range(len(part) - 11)
    )


@pytest.mark.parametrize("name", [name for name in BAD if "the token" not in name])
def test_a_refusal_that_nobody_catches_shows_no_proof(forge, trusting, name):
    """A proof that is refused here may be good for another request."""
    proof = BAD[name][0](forge)
    found = shown(run_blocking, binding_steps(forge.token, forge.facts(proof), *trusting()))
    assert found
    assert not can_be_read(found, proof)


def test_a_source_of_certificates_that_fails_shows_neither_token_nor_proof(run, forge, trusting):
    """It is the project's code, called from our frames."""
    token = token_of("a" * 30 + "." + "b" * 30 + "." + "c" * 30, cnf={"jkt": "x", "x5t#S256": X5T})
    runtime, trusted = trusting(CLIENT_CERTIFICATE={"SOURCE": fail})
    request = RequestFactory().get("/", headers={"DPoP": forge.proof(), "Authorization": f"DPoP {token.encoded}"})
    found = shown(run, binding_steps(token, facts_of(request, DPOP, runtime.settings), runtime, trusted))
    assert found
    assert not can_be_read(found, token.encoded)
    assert not can_be_read(found, forge.proof())


def test_a_cache_that_fails_shows_neither_token_nor_proof(run, forge, trusting, settings):
    """Nor the jti, by which somebody else's proof could be used up."""
    settings.CACHES = {"default": {"BACKEND": "tests.proofs.test_replay.BrokenCache"}}
    proof = forge.proof(jti="j" * 40)
    found = shown(run, binding_steps(forge.token, forge.facts(proof), *trusting()))
    assert found
    assert not can_be_read(found, proof)


def test_what_is_held_of_a_proof_has_a_repr_without_it(forge):
    """Whatever prints an object of ours."""
    proof = forge.proof()
    assert not can_be_read([repr(forge.facts(proof))], proof)


def _request(forge, settings, **headers):
    """The facts of a request by the client, as Django has it."""
    request = RequestFactory().get("/books/17?page=2", headers=headers)
    return facts_of(request, DPOP, settings)


def test_the_facts_of_a_request_are_its_own(forge, trusting, run):
    """Method, URL, the one DPoP header, and the certificate that its source finds."""
    runtime, trusted = trusting(CLIENT_CERTIFICATE={"SOURCE": lambda request: PEM})
    url = "http://testserver/books/17"
    headers = forge.key.headers(forge.token.encoded, "GET", url)
    facts = _request(forge, runtime.settings, **headers)
    assert (facts.scheme, facts.method, facts.url, facts.proof) == (DPOP, "GET", url, headers["DPoP"])
    assert facts.certificate() == X5T
    assert reason_of(run, forge.token, facts, (runtime, trusted)) is None
    assert _request(forge, runtime.settings).proof is None


def test_the_url_of_a_bearer_request_is_not_asked_for(trusting):
    """No proof is about it, and to ask for it can refuse the request."""
    settings = trusting()[0].settings
    request = RequestFactory().post("/", headers={"Host": "evil.test"})
    facts = facts_of(request, BEARER, settings)
    assert (facts.url, facts.method, facts.proof) == ("", "POST", None)
