"""`manage.py explain_token`: all that is wrong with a token."""

import io
import json
from traceback import walk_tb

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command, execute_from_command_line

from django_oauth_jwt.management.commands.explain_token import Command
from django_oauth_jwt.testing import ProofKey, SigningKey, TokenIssuer

from ..diagnosis.rules import PROOF_RULES, RULES

AUDIENCE = "https://api.example.com"
NOW = 1_800_000_000
OTHER = SigningKey.generate("RS256", "other")
CLIENT = ProofKey.generate()
URL = "https://api.example.com/books"


def results(output):
    """Return what a command said of each rule by its name: the mark and the detail."""
    lines = [line for line in output.splitlines() if line[:5] in ("  ok ", "  no ", "  ?  ")]
    return {line[5:20].strip(): (line[2:4].strip(), line[22:]) for line in lines}


def test_a_good_token_passes_every_rule(api_issuer, run):
    """Every rule is shown as ok, in the order of verification, and the exit status is 0."""
    output, status = run("explain_token", api_issuer.token("read write"))
    assert list(results(output)) == RULES
    assert {mark for mark, _ in results(output).values()} == {"ok"}
    assert output.endswith("The token is accepted.\nNot checked: what views require.\n")
    assert status == 0


@pytest.mark.parametrize(
    ("claims", "refused"),
    [
        ({"scope": "read write", "role": "editor", "realm": {"level": 2}}, {}),
        ({"scope": "all", "role": "editor", "realm": {"level": 2}}, {}),
        ({"scope": "read", "role": "editor", "realm": {"level": 2}}, {"scope": "insufficient_scope"}),
        ({"scope": "read write", "role": "guest", "realm": {"level": 2}}, {"claims": "missing_claims"}),
        ({"scope": "write"}, {"scope": "insufficient_scope", "claims": "missing_claims"}),
    ],
)
def test_what_the_middleware_requires_is_asked_for(api_issuer, run, claims, refused):
    """A token that the settings SCOPE and CLAIMS refuse is not called accepted."""
    required = [{"name": "role", "value": ["admin", "editor"]}, ["realm", "level"]]
    with api_issuer.installed(SCOPE="read write", CLAIMS=required, SCOPE_IMPLIES={"all": ["read", "write"]}):
        output, status = run("explain_token", api_issuer.token(**claims))
    found = results(output)
    assert {rule for rule, (mark, _) in found.items() if mark == "no"} == refused.keys()
    assert 'the middleware requires: "read", "write"' in found["scope"][1]
    assert 'the middleware requires: "role" = "admin" or "editor", "level" in "realm"' in found["claims"][1]
    verdict = f"refused: {', '.join(refused.values())}" if refused else "accepted"
    assert f"The token is {verdict}.\n" in output
    assert status == bool(refused)


def test_which_of_them_are_missing_is_said(api_issuer, run):
    """Of several scopes and claims, and of the claims that every token must have."""
    required = [{"name": "role", "value": "editor"}, ["realm", "level"], "email"]
    with api_issuer.installed(SCOPE="read write", CLAIMS=required, REQUIRED_CLAIMS=["exp", "jti"]):
        found = results(run("explain_token", api_issuer.token("read", email="x", jti=None))[0])
        complete = results(run("explain_token", api_issuer.token())[0])
    assert found["scope"][1].startswith("Token is missing some required scope values: write (")
    assert found["claims"][1].startswith(
        'Token is missing some required claims: "role" = "editor", "level" in "realm" ('
    )
    assert found["required claims"][1] == (
        'Token is missing a claim that every token must have: jti (["jti"] are missing)'
    )
    assert complete["required claims"][1] == 'required: ["exp", "jti"]'


@pytest.mark.parametrize(
    ("claims", "shown"),
    [
        ({}, "no at_hash, c_hash, events, s_hash, token_introspection"),
        (
            {"at_hash": "x", "events": {}},
            'Token type is not accepted: at_hash, events (["at_hash", "events"] are there)',
        ),
    ],
)
def test_a_token_of_another_kind_is_called_so(api_issuer, run, claims, shown):
    """The claims that give it away are named."""
    assert results(run("explain_token", api_issuer.token(**claims))[0])["kind"][1] == shown


def resolver(access_token, request): ...


def test_what_is_not_checked_is_said(api_issuer, run):
    """Whether there is a user for the token is found out with a request only, and views have their own requirements."""
    with api_issuer.installed(USER_RESOLVER=resolver):
        output, _ = run("explain_token", api_issuer.token())
        document = json.loads(run("explain_token", api_issuer.token(), "--json")[0])
    assert output.endswith("Not checked: what views require, whether USER_RESOLVER finds a user.\n")
    assert document["not_checked"] == ["what views require", "whether USER_RESOLVER finds a user"]


def test_the_exit_status_is_for_the_command_line(api_issuer, capsys):
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
def test_what_is_wrong_with_a_segment_is_said_in_plain_words(api_issuer, run, token, said, monkeypatch):
    """Nobody need know what a parser of JSON or base64 calls it."""
    monkeypatch.setattr("sys.stdin", io.StringIO(token))
    found = results(run("explain_token", "-")[0])
    assert {rule: found[rule][1] for rule in said} == said


def test_the_token_is_summed_up(api_issuer, run):
    """Whose token it is, for whom, and what it grants."""
    output, _ = run("explain_token", api_issuer.token("write read", sub="ann", client_id="shop"))
    for line in ('sub        "ann"', 'client_id  "shop"', 'scopes     ["read", "write"]', f'aud        "{AUDIENCE}"'):
        assert f"  {line}\n" in output


def test_all_of_three_faults_are_named(api_issuer, run, monkeypatch):
    """Verification stops at the first fault; the explanation shows the others as well."""
    monkeypatch.setattr("time.time", lambda: NOW)
    token = api_issuer.token(expired=True, aud="https://other.example.com", header={"typ": "id+jwt"})
    output, status = run("explain_token", token)
    found = results(output)
    assert {rule for rule, (mark, _) in found.items() if mark == "no"} == {"type", "audience", "exp"}
    assert found["exp"][1].startswith("Token has expired (2027-01-15 07:00:00+00:00, 1:00:00 ago; leeway 30 s)")
    assert '"https://other.example.com"; accepted: "https://api.example.com"' in found["audience"][1]
    assert '"id+jwt"; accepted: "at+jwt", "jwt", no typ' in found["type"][1]
    assert "\nThe token is refused: wrong_type, wrong_audience, expired.\n" in output
    assert status == 1


def test_a_signature_without_its_key_is_not_called_wrong(api_issuer, run):
    """Nobody can tell."""
    found = results(run("explain_token", api_issuer.token(rotated=True))[0])
    assert (found["key"][0], found["signature"]) == ("no", ("?", "not checked: there is no key, or no signature"))


def test_a_token_of_another_issuer_is_looked_at_all_the_same(api_issuer, run):
    """The rest is checked by the rules of the issuer that is trusted, so that a slash too many is seen to be all."""
    output, _ = run("explain_token", api_issuer.token(iss=f"{api_issuer.issuer}/"))
    found = results(output)
    assert [rule for rule, (mark, _) in found.items() if mark == "no"] == ["issuer"]
    assert '"https://issuer.test/"; trusted: "https://issuer.test"; the rest is checked as if' in found["issuer"][1]
    assert results(run("explain_token", api_issuer.token())[0])["issuer"][1].endswith('trusted: "https://issuer.test"')


def test_wrong_settings_show_no_token(settings):
    """Their error goes through the command, whose variables are in a report of it."""
    settings.OAUTH_JWT = {"JWKS_URI": 5}
    with pytest.raises(ImproperlyConfigured) as caught:
        call_command("explain_token", "a-secret-token")
    frames = [frame for frame, _ in walk_tb(caught.tb) if frame.f_globals["__name__"].startswith("django_oauth_jwt")]
    assert "handle" in [frame.f_code.co_name for frame in frames]
    assert "a-secret-token" not in repr([frame.f_locals for frame in frames])


def test_where_several_are_trusted_each_has_its_own_rules(api_issuer, run, settings):
    """The audience and the keys are those of the token's own api_issuer."""
    second = TokenIssuer("https://second.test", key=OTHER)
    settings.OAUTH_JWT = {
        "ISSUERS": {
            api_issuer.issuer: {"JWKS_SERVICE": api_issuer, "AUDIENCE": "first"},
            second.issuer: {"JWKS_SERVICE": second, "AUDIENCE": "second", "LEEWAY": 60},
        }
    }
    assert run("explain_token", api_issuer.token(aud="first"))[1] == 0
    assert run("explain_token", second.token(aud="second"))[1] == 0
    found = results(run("explain_token", second.token(aud="first"))[0])
    assert found["audience"][0] == "no"
    assert found["exp"][1].endswith("leeway 60 s")
    assert "https://third.test" in results(run("explain_token", second.token(iss="https://third.test"))[0])["issuer"][1]


def test_where_the_keys_cannot_be_fetched_the_claims_are_explained(api_issuer, run, jwks_server, settings):
    """A server that is down leaves key and signature open, and nothing else."""
    jwks_server.status = 500
    settings.OAUTH_JWT = {"ISSUER": api_issuer.issuer, "JWKS_URI": f"{jwks_server.origin}/jwks"}
    output, status = run("explain_token", api_issuer.token(expired=True))
    found = results(output)
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
def test_garbage_is_explained_too(api_issuer, run, garbage, monkeypatch):
    """Whatever is pasted, each rule has an answer, and there is no traceback."""
    monkeypatch.setattr("sys.stdin", io.StringIO(garbage))
    output, status = run("explain_token", "-")
    assert list(results(output)) == RULES
    assert "The token is refused: " in output
    assert "\x1b" not in output
    assert status == 1


def test_an_encrypted_token_is_called_one(api_issuer, run):
    """Five segments are those of a JWE."""
    output, _ = run("explain_token", "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AA.AA.AA.AA")
    assert results(output)["segments"][1] == "5 segments: an encrypted token (JWE)"


@pytest.mark.parametrize(
    "prefix", ["Bearer ", "bearer  ", "BEARER\t", "Authorization: Bearer ", "authorization:bearer "]
)
def test_a_token_is_taken_as_it_is_copied(api_issuer, run, prefix, monkeypatch):
    """With the scheme or the whole header, as argument, as several arguments, or from the standard input."""
    token = api_issuer.token()
    assert run("explain_token", f"{prefix}{token}")[1] == 0
    assert run("explain_token", *f"{prefix}{token}".split())[1] == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(f"  {prefix}{token}\r\n"))
    assert run("explain_token", "-")[1] == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_token_comes_from_a_file_of_any_shell(api_issuer, run, encoding, monkeypatch):
    """With a byte order mark or without, whatever encoding the terminal has; UTF-16 needs its mark."""
    octets = f"Bearer {api_issuer.token()}\r\n".encode(encoding)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(octets), encoding="ascii", errors="strict"))
    output, status = run("explain_token", "-")
    assert (status, "The token is accepted" in output) == ((1, False) if encoding == "utf-16-le" else (0, True))


@pytest.mark.parametrize(
    "octets", [b"\xe9.\xe9.\xe9", b"\xff\xfe", b"\xff\xfea", b"\xfe\xff\xd8\x00", b"\xef\xbb\xbf", b"\x80"]
)
def test_bytes_that_are_no_text_are_explained_too(api_issuer, run, octets, monkeypatch):
    """They are no token, and no traceback."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(octets), encoding="utf-8", errors="strict"))
    output, status = run("explain_token", "-")
    assert list(results(output)) == RULES
    assert ("The token is refused: " in output, status) == (True, 1)


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("arguments", [{}, {"expired": True}, {"forged": True}, {"header": {"crit": ["x"]}}])
def test_neither_token_nor_signature_is_printed(api_issuer, run, capfd, caplog, arguments, options):
    """What is printed can be pasted into a ticket: nobody can use the token."""
    token = api_issuer.token(**arguments)
    output = "".join([run("explain_token", token, *options)[0], *capfd.readouterr(), caplog.text])
    assert not any(segment in output for segment in token.split("."))


def test_json_says_the_same(api_issuer, run):
    """For programs: the outcome, the reasons, what the token says, each rule."""
    output, status = run("explain_token", "--json", api_issuer.token("read", expired=True, header={"kid": None}))
    document = json.loads(output)
    assert (document["accepted"], document["reasons"], status) == (False, ["expired"], 1)
    assert document["token"]["scopes"] == ["read"]
    assert "kid" not in document["token"]
    assert [rule["rule"] for rule in document["rules"]] == RULES
    exp = document["rules"][RULES.index("exp")]
    assert (exp["passed"], exp["reason"]) == (False, "expired")
    assert output.isascii()


def test_colours_are_for_terminals(api_issuer, run, terminal, monkeypatch):
    """A file or a pipe gets plain text, a terminal colours, JSON none at all."""
    monkeypatch.setattr("django.core.management.color.supports_color", lambda: True)
    monkeypatch.setattr("time.time", lambda: NOW)
    token = api_issuer.token(expired=True)
    assert "\x1b" not in run("explain_token", token)[0]
    assert run("explain_token", token, force_color=True)[0] == run("explain_token", token, stdout=terminal)[0]
    output = run("explain_token", token, force_color=True)[0]
    assert "\x1b[32;1mok\x1b[0m signature" in output
    assert "\x1b[31;1mno\x1b[0m exp" in output
    assert "\x1b" not in run("explain_token", token, stdout=type(terminal)(), no_color=True)[0]
    assert "\x1b" not in run("explain_token", token, json=True, force_color=True)[0]


def test_a_terminal_that_knows_ascii_only_gets_ascii(api_issuer, run, terminal, monkeypatch):
    """A character that cannot be encoded must not be what ends the command."""
    monkeypatch.setattr(type(terminal), "encoding", "ascii")
    output, _ = run("explain_token", api_issuer.token(expired=True, sub="Zoë"), stdout=terminal)
    assert output.isascii()
    assert "  ok signature" in output
    assert "  no exp" in output


def test_claims_cannot_move_the_cursor(api_issuer, run):
    """A token is a stranger's text, and might hold what a terminal obeys."""
    output, _ = run("explain_token", api_issuer.token(sub="\x1b[2J", aud="\x9b2J\n", iss="\r", header={"typ": "\x07"}))
    assert output.replace("\n", "").isprintable()


def test_a_huge_claim_is_cut_off(api_issuer, run):
    """What is wrong is to be seen at a glance."""
    output, _ = run("explain_token", api_issuer.token(aud="x" * 5000, nbf=10**300, iat=-(10**300)))
    assert max(map(len, output.splitlines())) < 320


def test_a_time_that_cannot_be_read_is_shown_as_it_is(api_issuer, run):
    """Year 10000 and infinity's neighbours do not end the command."""
    output, status = run("explain_token", api_issuer.token(exp=10**15, nbf=-(10**15), iat=0))
    assert "1000000000000000; leeway" in output
    assert "-1000000000000000; leeway" in output
    assert "1970-01-01 00:00:00+00:00, " in output
    assert status == 0


@pytest.mark.parametrize("depth", [100, 400, 700, 900, 960, 990])
def test_a_nested_bomb_is_explained(api_issuer, run, depth):
    """What can just be read might not be printed: the command goes on all the same."""
    claims = b'{"iss": "https://issuer.test", "aud": %s%s}' % (b"[" * depth, b"]" * depth)
    token = api_issuer.keys[0].encode({"alg": "RS256", "kid": "key-1"}, claims)
    for options in ([], ["--json"]):
        output, status = run("explain_token", token, *options)
        assert "wrong_audience" in output or "malformed" in output
        assert status == 1


def proof_of(token, method="GET", url=URL, **faults):
    return CLIENT.headers(token, method, url, **faults)["DPoP"]


def test_the_binding_of_a_token_is_shown_and_said_not_to_be_checked(api_issuer, run):
    """By which method and to which key; an unbound token is called one, too."""
    token = api_issuer.token(bound_to=CLIENT)
    output, status = run("explain_token", token)
    found = results(output)
    assert found["binding"] == ("ok", f'a DPoP proof by the key "{CLIENT.thumbprint}"')
    assert found["proof"] == ("?", "not checked: none is given")
    assert "The token is accepted, if its sender proves that it is theirs.\nTo check the proof" in output
    assert output.endswith("Not checked: what views require, whether its sender has the key that it is bound to.\n")
    assert status == 0
    document = json.loads(run("explain_token", token, "--json")[0])
    assert document["token"]["cnf"] == {"jkt": CLIENT.thumbprint}
    assert document["not_checked"][1] == "whether its sender has the key that it is bound to"
    unbound, _ = run("explain_token", api_issuer.token())
    assert results(unbound)["binding"] == ("ok", "none: anybody who has the token can use it")
    assert "--proof" not in unbound


def test_a_certificate_to_which_a_token_is_bound_is_shown(api_issuer, run):
    """Where the settings do not say where certificates are, no request will do."""
    token = api_issuer.token(cnf={"x5t#S256": "thumb", "jkt": CLIENT.thumbprint})
    found = results(run("explain_token", token, "--proof", proof_of(token), "--url", URL)[0])
    assert found["binding"][1].endswith('" and the client certificate "thumb"')
    assert found["certificate"][0] == "no"
    assert "CLIENT_CERTIFICATE is not set" in found["certificate"][1]
    with api_issuer.installed(CLIENT_CERTIFICATE={"SOURCE": "wsgi"}):
        output, status = run("explain_token", token, "--proof", proof_of(token), "--url", URL)
    assert results(output)["certificate"] == ("?", "not checked: that takes the client's connection")
    assert "whether its sender has the certificate that it is bound to.\n" in output
    assert status == 0


@pytest.mark.parametrize(
    ("prefix", "bound", "verdict"),
    [
        ("Bearer", False, "accepted"),
        ("DPoP", False, "refused: unproven"),
        ("Authorization: dpop", False, "refused: unproven"),
        ("bearer", True, "refused: unproven"),
        ("DPOP", True, "accepted, if its sender proves that it is theirs"),
    ],
)
def test_the_scheme_before_a_token_is_judged_as_a_requests_is(api_issuer, run, prefix, bound, verdict):
    """A token is refused with another scheme than its own, and no proof need be given to see that."""
    output, status = run("explain_token", f"{prefix} {api_issuer.token(bound_to=CLIENT if bound else None)}")
    assert f"The token is {verdict}.\n" in output
    assert status == verdict.startswith("refused")
    mark, words = results(output)["scheme"]
    assert (mark == "no") == verdict.startswith("refused")
    assert f"{'DPoP' if 'dpop' in prefix.lower() else 'Bearer'} stands before the token" in words


def test_a_proof_stands_for_the_scheme_dpop(api_issuer, run):
    """Whatever was copied before the token, as the help says."""
    token = api_issuer.token(bound_to=CLIENT)
    output, status = run("explain_token", f"Bearer {token}", "--proof", proof_of(token), "--url", URL)
    assert results(output)["scheme"] == ("ok", "DPoP is assumed, as there is a proof")
    assert status == 0
    words = Command().create_parser("manage.py", "explain_token").format_help().split()
    assert "a scheme before it is judged as well, but not with --proof" in " ".join(words)


@pytest.mark.parametrize("prefix", ["", "DPoP: ", "dpop:", " DPoP : "])
def test_a_good_proof_passes_every_rule(api_issuer, run, prefix):
    """With its token, its method (GET unless it is given) and its URL; as it is copied."""
    token = api_issuer.token(bound_to=CLIENT)
    output, status = run(
        "explain_token", f"DPoP {token}", "--proof", prefix + proof_of(token), "--url", f"{URL}?page=2"
    )
    found = results(output)
    assert [found[name][0] for name in PROOF_RULES] == ["ok"] * len(PROOF_RULES)
    assert output.endswith(
        "The token is accepted.\nNot checked: what views require, whether the proof was used before.\n"
    )
    assert status == 0
    arguments = ("--proof", proof_of(token, "POST"), "--method", "POST", "--url", URL)
    assert run("explain_token", token, *arguments)[1] == 0


def test_all_faults_of_a_proof_are_named_with_what_was_expected(api_issuer, run, monkeypatch):
    """A request would be told of the first alone."""
    monkeypatch.setattr("time.time", lambda: NOW)
    token = api_issuer.token(bound_to=ProofKey.generate())
    proof = proof_of("another", "POST", f"{URL}/", iat=NOW - 3600)
    output, status = run("explain_token", token, "--proof", proof, "--url", URL)
    found = {rule: detail for rule, (mark, detail) in results(output).items() if mark == "no"}
    assert list(found) == ["proof key", "proof method", "proof URL", "proof time", "proof token"]
    assert f'("{CLIENT.thumbprint}"; the token\'s: "' in found["proof key"]
    assert found["proof method"].endswith('("POST"; the request\'s: "GET")')
    assert found["proof URL"].endswith(f'("{URL}/"; the request\'s: "{URL}")')
    assert "1:00:00 ago; good for 60 s, leeway 30 s)" in found["proof time"]
    assert "wrong_proof_key, wrong_proof_method, wrong_proof_url, stale_proof, wrong_proof_token.\n" in output
    assert status == 1
    assert json.loads(run("explain_token", token, "--json", "--proof", proof, "--url", URL)[0])["reasons"][0] == (
        "wrong_proof_key"
    )


@pytest.mark.parametrize("proof", ["", "x", "a.b.c", "\x1b[2J", "\N{PILE OF POO}", "e30.e30.AA", "x" * 9000], ids=ascii)
def test_what_is_no_proof_is_called_so(api_issuer, run, proof):
    """And what cannot be asked then is named."""
    token = api_issuer.token(bound_to=CLIENT)
    output, status = run("explain_token", token, "--proof", proof, "--url", URL)
    assert (results(output)["proof"][0], results(output)["proof key"][0], status) == ("no", "?", 1)
    assert "The token is refused: malformed_proof.\n" in output
    assert output.replace("\n", "").isprintable()
    claims = results(run("explain_token", token, "--proof", proof_of(token, jti=None), "--url", URL)[0])
    assert [claims[rule][0] for rule in ("proof key", "proof claims", "proof method")] == ["ok", "no", "?"]
    assert "jti" in claims["proof claims"][1]


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("faults", [{}, {"htm": "POST"}, {"crit": ["x"]}, {"nonce": 5}])
def test_nothing_of_a_proof_that_could_be_used_is_printed(api_issuer, run, capfd, caplog, faults, options):
    """A proof that was not sent yet is as good as the token with it."""
    token = api_issuer.token(bound_to=CLIENT)
    proof = proof_of(token, jti="secret-jti", **faults)
    arguments = [token, *options, "--proof", proof, "--url", URL]
    output = "".join([run("explain_token", *arguments)[0], *capfd.readouterr(), caplog.text])
    assert not any(segment in output for segment in (*token.split("."), *proof.split("."), "secret-jti"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--method", "GET"], "--proof, which is missing"),
        (["--url", URL], "--proof, which is missing"),
        (["--proof", "x"], "--proof needs the --url"),
        (["--proof", "x", "--url", "/books"], "--proof needs the --url"),
        (["--proof", "x", "--url", "books"], "--proof needs the --url"),
    ],
)
def test_what_belongs_together_is_asked_for(api_issuer, run, arguments, words):
    """A proof is for one URL, and a URL alone says nothing of a token."""
    with pytest.raises(CommandError, match=words):
        run("explain_token", "a.b.c", *arguments)
