"""`manage.py explain_token`: all that is wrong with a token, and nothing else than what verification says."""

import io
import itertools
import json

import pytest
from django.core.management import call_command, execute_from_command_line

from django_oauth_jwt.conf import get_settings
from django_oauth_jwt.diagnosis import explain, shown
from django_oauth_jwt.errors import InvalidToken, KeysUnavailable
from django_oauth_jwt.testing import SigningKey, TokenIssuer
from django_oauth_jwt.verification import verify_token

AUDIENCE = "https://api.example.com"
NOW = 1_800_000_000
OTHER = SigningKey.generate("RS256", "other")
RULES = [
    *("text", "segments", "header", "parameters", "extensions", "payload", "issuer", "algorithm", "keys", "key"),
    *("signature", "type", "required claims", "audience", "names", "exp", "nbf", "iat", "scope", "claims"),
]


@pytest.fixture
def issuer(token_issuer):
    """An issuer whose tokens are for this API and live for five minutes."""
    with token_issuer.installed(AUDIENCE=AUDIENCE, REQUIRED_CLAIMS=["exp", "jti"]):
        yield token_issuer


def findings(output):
    """Return what a command said of each rule by its name: the mark and the detail."""
    lines = [line for line in output.splitlines() if line[:5] in ("  ok ", "  no ", "  ?  ")]
    return {line[5:20].strip(): (line[2:4].strip(), line[22:]) for line in lines}


def test_a_good_token_passes_every_rule(issuer, run):
    """Every rule is shown as ok, in the order of verification, and the exit status is 0."""
    output, status = run("explain_token", issuer.token("read write"))
    assert list(findings(output)) == RULES
    assert {mark for mark, _ in findings(output).values()} == {"ok"}
    assert output.endswith("The token is accepted.\nNot checked: what views require.\n")
    assert status == 0


@pytest.mark.parametrize(
    ("claims", "refused"),
    [
        ({"scope": "read write", "role": "editor", "realm": {"level": 2}}, {}),
        ({"scope": "read", "role": "editor", "realm": {"level": 2}}, {"scope": "insufficient_scope"}),
        ({"scope": "read write", "role": "guest", "realm": {"level": 2}}, {"claims": "missing_claims"}),
        ({"scope": "write"}, {"scope": "insufficient_scope", "claims": "missing_claims"}),
    ],
)
def test_what_the_middleware_requires_is_asked_for(issuer, run, claims, refused):
    """A token that the settings SCOPE and CLAIMS refuse is not called accepted."""
    required = [{"name": "role", "value": ["admin", "editor"]}, ["realm", "level"]]
    with issuer.installed(SCOPE="read write", CLAIMS=required):
        output, status = run("explain_token", issuer.token(**claims))
    found = findings(output)
    assert {rule for rule, (mark, _) in found.items() if mark == "no"} == refused.keys()
    assert 'the middleware requires: "read", "write"' in found["scope"][1]
    assert 'the middleware requires: "role" = "admin" or "editor", "level" in "realm"' in found["claims"][1]
    verdict = f"refused: {', '.join(refused.values())}" if refused else "accepted"
    assert f"The token is {verdict}.\n" in output
    assert status == bool(refused)


def resolver(access_token, request): ...


def test_what_is_not_checked_is_said(issuer, run):
    """Whether there is a user for the token is found out with a request only, and views have their own requirements."""
    with issuer.installed(USER_RESOLVER=resolver):
        output, _ = run("explain_token", issuer.token())
        document = json.loads(run("explain_token", issuer.token(), "--json")[0])
    assert output.endswith("Not checked: what views require, whether USER_RESOLVER finds a user.\n")
    assert document["not_checked"] == ["what views require", "whether USER_RESOLVER finds a user"]


def test_the_exit_status_is_for_the_command_line(issuer, capsys):
    """Code that calls the command gets the report of a bad token, not an end."""
    output = io.StringIO()
    call_command("explain_token", "rubbish", stdout=output)
    assert "The token is refused: malformed." in output.getvalue()
    with pytest.raises(SystemExit) as end:
        execute_from_command_line(["manage.py", "explain_token", "rubbish"])
    assert end.value.code == 1
    assert "The token is refused: malformed." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", {"segments": "1 segment: no signed token (JWS)", "header": "empty", "payload": "there is none"}),
        ("a.b", {"segments": "2 segments: no signed token (JWS)", "header": "not base64url"}),
        ("..", {"header": "empty", "payload": "empty"}),
        ("eyI.W10._w", {"header": "not JSON in UTF-8", "payload": "not a JSON object"}),
        ("_w.e30.", {"header": "not JSON in UTF-8"}),
    ],
)
def test_what_is_wrong_with_a_segment_is_said_in_plain_words(issuer, run, token, said, monkeypatch):
    """Nobody need know what a parser of JSON or base64 calls it."""
    monkeypatch.setattr("sys.stdin", io.StringIO(token))
    found = findings(run("explain_token", "-")[0])
    assert {rule: found[rule][1] for rule in said} == said


def test_the_token_is_summed_up(issuer, run):
    """Whose token it is, for whom, and what it grants."""
    output, _ = run("explain_token", issuer.token("write read", sub="ann", client_id="shop"))
    for line in ('sub        "ann"', 'client_id  "shop"', 'scopes     ["read", "write"]', f'aud        "{AUDIENCE}"'):
        assert f"  {line}\n" in output


def test_all_of_three_faults_are_named(issuer, run, monkeypatch):
    """Verification stops at the first fault; the explanation shows the others as well."""
    monkeypatch.setattr("time.time", lambda: NOW)
    token = issuer.token(expired=True, aud="https://other.example.com", header={"typ": "id+jwt"})
    output, status = run("explain_token", token)
    found = findings(output)
    assert {rule for rule, (mark, _) in found.items() if mark == "no"} == {"type", "audience", "exp"}
    assert found["exp"][1].startswith("Token has expired (2027-01-15 07:00:00+00:00, 1:00:00 ago; leeway 10 s)")
    assert '"https://other.example.com"; accepted: "https://api.example.com"' in found["audience"][1]
    assert '"id+jwt"; accepted: "at+jwt", "jwt", no typ' in found["type"][1]
    assert "\nThe token is refused: wrong_type, wrong_audience, expired.\n" in output
    assert status == 1


def test_a_token_of_another_issuer_is_looked_at_all_the_same(issuer, run):
    """The rest is checked by the rules of the issuer that is trusted, so that a slash too many is seen to be all."""
    output, _ = run("explain_token", issuer.token(iss=f"{issuer.issuer}/"))
    found = findings(output)
    assert [rule for rule, (mark, _) in found.items() if mark == "no"] == ["issuer"]
    assert '"https://issuer.test/"; trusted: "https://issuer.test"; the rest is checked as if' in found["issuer"][1]


def test_where_several_are_trusted_each_has_its_own_rules(issuer, run, settings):
    """The audience and the keys are those of the token's own issuer."""
    second = TokenIssuer("https://second.test", key=OTHER)
    settings.OAUTH_JWT = {
        "ISSUERS": {
            issuer.issuer: {"JWKS_SERVICE": issuer, "AUDIENCE": "first"},
            second.issuer: {"JWKS_SERVICE": second, "AUDIENCE": "second", "LEEWAY": 60},
        }
    }
    assert run("explain_token", issuer.token(aud="first"))[1] == 0
    assert run("explain_token", second.token(aud="second"))[1] == 0
    found = findings(run("explain_token", second.token(aud="first"))[0])
    assert found["audience"][0] == "no"
    assert found["exp"][1].endswith("leeway 60 s")
    assert (
        "https://third.test" in findings(run("explain_token", second.token(iss="https://third.test"))[0])["issuer"][1]
    )


def test_where_the_keys_cannot_be_fetched_the_claims_are_explained(issuer, run, jwks_server, settings):
    """A server that is down leaves key and signature open, and nothing else."""
    jwks_server.status = 500
    settings.OAUTH_JWT = {"ISSUER": issuer.issuer, "JWKS_URI": f"{jwks_server.origin}/jwks"}
    output, status = run("explain_token", issuer.token(expired=True))
    found = findings(output)
    assert found["keys"] == (
        "no",
        f"The keys to check the token with are unavailable for now (of {jwks_server.origin}/jwks)",
    )
    assert found["key"] == found["signature"] == ("?", "not checked: there are no keys")
    assert (found["exp"][0], found["issuer"][0]) == ("no", "ok")
    assert "keys_unavailable, expired.\nWhy there are no keys: python manage.py oauth_jwks\n" in output
    assert status == 1


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        " ",
        "-x",
        "garbage",
        "a.b",
        "..",
        "a.b.c.d.e",
        "é.é.é",
        "\x00",
        "eyJ.eyJ.eyJ",
        "\N{PILE OF POO}",
        "\x1b[2J",
        "." * 99,
    ],
    ids=ascii,
)
def test_garbage_is_explained_too(issuer, run, garbage, monkeypatch):
    """Whatever is pasted, each rule has an answer, and there is no traceback."""
    monkeypatch.setattr("sys.stdin", io.StringIO(garbage))
    output, status = run("explain_token", "-")
    assert list(findings(output)) == RULES
    assert "The token is refused: " in output
    assert "\x1b" not in output
    assert status == 1


def test_an_encrypted_token_is_called_one(issuer, run):
    """Five segments are those of a JWE."""
    output, _ = run("explain_token", "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AA.AA.AA.AA")
    assert findings(output)["segments"][1] == "5 segments: an encrypted token (JWE)"


@pytest.mark.parametrize(
    "prefix", ["Bearer ", "bearer  ", "BEARER\t", "Authorization: Bearer ", "authorization:bearer "]
)
def test_a_token_is_taken_as_it_is_copied(issuer, run, prefix, monkeypatch):
    """With the scheme or the whole header, as argument, as several arguments, or from the standard input."""
    token = issuer.token()
    assert run("explain_token", f"{prefix}{token}")[1] == 0
    assert run("explain_token", *f"{prefix}{token}".split())[1] == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(f"  {prefix}{token}\r\n"))
    assert run("explain_token", "-")[1] == 0


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("arguments", [{}, {"expired": True}, {"forged": True}, {"header": {"crit": ["x"]}}])
def test_neither_token_nor_signature_is_printed(issuer, run, capfd, caplog, arguments, options):
    """What is printed can be pasted into a ticket: nobody can use the token."""
    token = issuer.token(**arguments)
    output = "".join([run("explain_token", token, *options)[0], *capfd.readouterr(), caplog.text])
    assert not any(segment in output for segment in token.split("."))


def test_json_says_the_same(issuer, run):
    """For programs: the outcome, the reasons, what the token says, each rule."""
    output, status = run("explain_token", "--json", issuer.token("read", expired=True, header={"kid": None}))
    document = json.loads(output)
    assert (document["accepted"], document["reasons"], status) == (False, ["expired"], 1)
    assert document["token"]["scopes"] == ["read"]
    assert document["token"]["kid"] is None
    assert [rule["rule"] for rule in document["rules"]] == RULES
    exp = document["rules"][RULES.index("exp")]
    assert (exp["passed"], exp["reason"]) == (False, "expired")
    assert output.isascii()


def test_colours_are_for_terminals(issuer, run, terminal, monkeypatch):
    """A file or a pipe gets plain text, a terminal colours, JSON none at all."""
    monkeypatch.setattr("django.core.management.color.supports_color", lambda: True)
    monkeypatch.setattr("time.time", lambda: NOW)
    token = issuer.token(expired=True)
    assert "\x1b" not in run("explain_token", token)[0]
    assert run("explain_token", token, force_color=True)[0] == run("explain_token", token, stdout=terminal)[0]
    output = run("explain_token", token, force_color=True)[0]
    assert "\x1b[32;1mok\x1b[0m signature" in output
    assert "\x1b[31;1mno\x1b[0m exp" in output
    assert "\x1b" not in run("explain_token", token, stdout=type(terminal)(), no_color=True)[0]
    assert "\x1b" not in run("explain_token", token, json=True, force_color=True)[0]


def test_a_terminal_that_knows_ascii_only_gets_ascii(issuer, run, terminal, monkeypatch):
    """A character that cannot be encoded must not be what ends the command."""
    monkeypatch.setattr(type(terminal), "encoding", "ascii")
    output, _ = run("explain_token", issuer.token(expired=True, sub="Zoë"), stdout=terminal)
    assert output.isascii()
    assert "  ok signature" in output
    assert "  no exp" in output


def test_claims_cannot_move_the_cursor(issuer, run):
    """A token is a stranger's text, and might hold what a terminal obeys."""
    output, _ = run("explain_token", issuer.token(sub="\x1b[2J", aud="\x9b2J\n", iss="\r", header={"typ": "\x07"}))
    assert output.replace("\n", "").isprintable()


def test_a_huge_claim_is_cut_off(issuer, run):
    """What is wrong is to be seen at a glance."""
    output, _ = run("explain_token", issuer.token(aud="x" * 5000, nbf=10**300, iat=-(10**300)))
    assert max(map(len, output.splitlines())) < 320


TIMES = [
    *(NOW, NOW - 10, NOW - 11, NOW + 10, NOW + 11, NOW + 0.5, 0, -1, 10**30, -(10**30), 1e300),
    *(None, True, False, "1", str(NOW), [NOW], {}, ""),
]
CLAIMS = [
    {},
    *({name: value} for name in ("exp", "nbf", "iat") for value in TIMES),
    *({"aud": aud} for aud in (AUDIENCE, [AUDIENCE], ["x", AUDIENCE], "x", [], [[AUDIENCE]], [{}], {}, 1, True, None)),
    *({"iss": iss} for iss in ("https://issuer.test", "https://issuer.test/", "", 1, [], {}, None)),
    *({"sub": sub} for sub in ("", 1, True, [], {}, None)),
    *({"jti": jti} for jti in ("", 0, False, [], None)),
]
HEADERS = [
    *({"typ": typ} for typ in ("at+jwt", "AT+JWT", "application/jwt", "JWT", "id+jwt", "", 1, [], None)),
    *({"kid": kid} for kid in ("key-1", "key-2", "", 1, [], None)),
    *({"alg": alg} for alg in ("RS256", "RS512", "PS256", "ES256", "HS256", "none", "", 1, [], None)),
    *({"crit": crit} for crit in (["b64"], [], None)),
    *({"b64": b64} for b64 in (True, False)),
    {"jku": "https://evil.example.com", "x5u": "x", "jwk": {}},
]


def texts(token):
    """Yield what becomes of a token under all kinds of hands."""
    header, payload, signature = token.split(".")
    yield from ("", token[:-1], token[:-9], token + "A", token + "=", token + ".", f"{token}.{signature}", f" {token}")
    yield from (f"{header}.{payload}.", f"{header}.{payload}", f".{payload}.{signature}", f"{header}..{signature}")
    yield from (f"{payload}.{header}.{signature}", f"{header}.{header}.{signature}", token.replace("e", "é", 1))
    yield from (
        f"{header}=.{payload}.{signature}",
        f"{header}.{payload}.{'A' * len(signature)}",
        "A" * 20000,
        "." * 20000,
    )


def corpus(issuer):
    """Yield tokens with no fault, one, and two."""
    issuer_kinds = [{}, {"expired": True}, {"forged": True}, {"rotated": True}]
    yield from (issuer.token(**kind) for kind in issuer_kinds)
    yield from (issuer.token(**claims) for claims in CLAIMS)
    yield from (issuer.token(header=header) for header in HEADERS)
    yield from (
        issuer.token(header=header, **claims) for header, claims in itertools.product(HEADERS[::3], CLAIMS[::7])
    )
    yield from (issuer.token(header={"alg": OTHER.alg, "kid": kid}, forged=True) for kid in ("key-1", "other"))
    for payload in (
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"exp":1e999}',
        b'{"exp":NaN}',
        b'{"a":1,"a":2}',
        b"\xff",
        b"[" * 9000,
    ):
        yield issuer.keys[0].encode({"alg": "RS256", "kid": "key-1"}, payload)
    yield from texts(issuer.token())


def refusal(token):
    """Return the reason for which verification refuses a token, None where it accepts it."""
    try:
        verify_token(token)
    except (InvalidToken, KeysUnavailable) as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"TOKEN_TYPES": ["at+jwt"], "REQUIRED_CLAIMS": ["exp", "iat", "sub"], "LEEWAY": 0},
        {"AUDIENCE": None, "ALGORITHMS": ["RS512", "ES256"]},
        {"TOKEN_CACHE_SIZE": 0, "MAX_TOKEN_LENGTH": 620},
        {"ISSUER": None, "REQUIRED_CLAIMS": []},
    ],
    ids=["plain", "strict", "no audience", "short", "any issuer"],
)
def test_explanation_and_verification_never_disagree(issuer, monkeypatch, overrides):
    """A token is accepted if and only if each rule is ok; the reason for a refusal is among the others."""
    monkeypatch.setattr("time.time", lambda: NOW)
    accepted = 0
    with issuer.installed(**{"AUDIENCE": AUDIENCE, "REQUIRED_CLAIMS": ["exp", "jti"], **overrides}):
        for token in corpus(issuer):
            reason, explanation = refusal(token), explain(token, get_settings())
            accepted += explanation.is_accepted
            assert explanation.is_accepted == (reason is None)
            assert explanation.reasons == [] if reason is None else reason in explanation.reasons
            assert [finding.rule for finding in explanation.findings] == RULES
    assert accepted > 0 or "ALGORITHMS" in overrides


def test_two_keys_of_one_kid_are_no_key(issuer, monkeypatch):
    """Which of the two signed it cannot be known; the explanation says so, as verification does."""
    double = SigningKey.generate("RS256", "key-1")
    issuer.keys.append(double)
    issuer.rotate()
    token = issuer.token(header={"kid": "key-1"})
    assert explain(token, get_settings()).reasons == ["ambiguous_key"]
    assert refusal(token) == "ambiguous_key"


def test_a_time_that_cannot_be_read_is_shown_as_it_is(issuer, run):
    """Year 10000 and infinity's neighbours do not end the command."""
    output, status = run("explain_token", issuer.token(exp=10**15, nbf=-(10**15), iat=0))
    assert "1000000000000000; leeway" in output
    assert "-1000000000000000; leeway" in output
    assert "1970-01-01 00:00:00+00:00, " in output
    assert status == 0


@pytest.mark.parametrize("depth", [100, 400, 700, 900, 960, 990])
def test_a_nested_bomb_is_explained(issuer, run, depth):
    """What can just be read might not be printed: the command goes on all the same."""
    claims = b'{"iss": "https://issuer.test", "aud": %s%s}' % (b"[" * depth, b"]" * depth)
    token = issuer.keys[0].encode({"alg": "RS256", "kid": "key-1"}, claims)
    for options in ([], ["--json"]):
        output, status = run("explain_token", token, *options)
        assert "wrong_audience" in output or "malformed" in output
        assert status == 1


def test_what_nests_without_end_is_cut_off():
    """A value that JSON cannot write is no reason to end."""
    value = []
    for _ in range(200_000):
        value = [value]
    assert shown(value) == "..."
