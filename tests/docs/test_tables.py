"""The tables of the reference say what the code does."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management.base import BaseCommand
from django.dispatch import Signal

import django_oauth_jwt
from django_oauth_jwt import errors, signals
from django_oauth_jwt.conf import ISSUER_RULES, RULES, read
from django_oauth_jwt.contrib.accounts import signals as account_signals
from django_oauth_jwt.contrib.accounts.management.commands import oauth_accounts
from django_oauth_jwt.http import refuse
from django_oauth_jwt.jws import SUPPORTED_ALGORITHMS
from django_oauth_jwt.management.commands import explain_token, oauth_jwks

from .manual_text import PAGES, code, run_snippet, table

SETTINGS_ROWS = table("docs/reference/settings.md")
SETTINGS = {code(key): code(default) for key, default, _ in SETTINGS_ROWS}
ANSWERS = table("docs/reference/answers.md")
REASONS = table("docs/reference/reasons.md")
SIGNALS = "docs/reference/signals.md"
COMMANDS = "docs/reference/commands.md"


def test_the_settings_table_has_every_key():
    """Each key of OAUTH_JWT has one row, and no other has."""
    assert sorted(SETTINGS) == sorted(RULES)
    assert len(SETTINGS_ROWS) == len(SETTINGS)


@pytest.mark.parametrize("key", SETTINGS)
def test_a_default_is_what_one_gets_by_leaving_the_key_out(key):
    """The settings with the table's default are the settings without the key."""
    base = {"ISSUER": "https://as.example.com"} if key != "ISSUER" else {"JWKS_URI": "https://as.example.com/jwks"}
    default = ast.literal_eval(SETTINGS[key])
    assert read({**base, key: default}) == (read(base)[0], [])


def test_the_keys_of_an_issuers_own_are_listed():
    """The page on several issuers names all that an entry may set."""
    page = PAGES["docs/guides/several-issuers.md"]
    entry = re.search(r"^An entry may also set (.*?)\.", page, re.MULTILINE | re.DOTALL)[1]
    named = {
        *re.findall(r"`(\w+)`", entry),
        *run_snippet("issuers", {})["OAUTH_JWT"]["ISSUERS"]["https://partner.example.net"],
    }
    assert named == set(ISSUER_RULES)


ERRORS = {
    "MissingToken": errors.MissingToken(),
    "InvalidToken": errors.InvalidToken("expired"),
    "InvalidProof": errors.InvalidProof("replayed_proof"),
    "NonceRequired": errors.NonceRequired("nonce"),
    "InsufficientScope": errors.InsufficientScope(["a", "b"]),
    "MissingClaims": errors.MissingClaims(),
    "InsufficientAuthentication": errors.InsufficientAuthentication(["gold", "mfa"], 300),
    "KeysUnavailable": errors.KeysUnavailable(),
}


def test_the_answers_table_has_every_refusal():
    """Each kind of refusal has one row."""
    assert [code(row[0]) for row in ANSWERS] == list(ERRORS)
    kinds = [kind for kind in errors.BearerError.__subclasses__() if kind.__module__ == errors.__name__]
    assert {kind.__name__ for kind in kinds} == set(ERRORS)


@pytest.mark.parametrize(("name", "_", "status", "header"), ANSWERS)
def test_an_answer_is_the_one_in_the_table(name, _, status, header, settings):
    """Status and challenge of each refusal are the table's, to the letter but for the algorithms of proofs."""
    error = ERRORS[code(name)]
    challenge = refuse(error).headers.get("WWW-Authenticate")
    assert challenge == (None if header == "none" else code(header).replace("...", " ".join(SUPPORTED_ALGORITHMS)))
    assert refuse(error).headers.get("DPoP-Nonce", "") == getattr(error, "nonce", "")
    assert ("DPoP-Nonce" in status) == (name == "`NonceRequired`")
    if status == "`INVALID_TOKEN_STATUS`":
        for configured in (401, 403):
            settings.OAUTH_JWT = {"INVALID_TOKEN_STATUS": configured}
            assert refuse(error).status_code == configured
    else:
        assert str(refuse(error).status_code) == status.split(",")[0]
    assert ("Retry-After" in status) == (name == "`KeysUnavailable`")


def test_the_checks_table_has_every_check():
    """Each id in the source has one row, and no other has."""
    source = "".join(path.read_text() for path in Path(django_oauth_jwt.__file__).parent.rglob("*.py"))
    ids = [row[0] for row in table("docs/reference/checks.md")]
    assert ids == sorted(set(re.findall(r'"([EW]\d{3})"', source)))


def test_each_reason_is_explained():
    """Each reason of a refusal has one row in the order of the code, and no other has."""
    ours = [
        *errors.MissingToken.DESCRIPTIONS,
        *errors.InvalidToken.DESCRIPTIONS,
        *errors.InvalidProof.DESCRIPTIONS,
        errors.NonceRequired("nonce").reason,
        errors.InsufficientScope().reason,
        errors.MissingClaims().reason,
        errors.InsufficientAuthentication().reason,
        errors.KeysUnavailable().reason,
        errors.IssuerUnavailable().reason,
        errors.ReplayCheckUnavailable().reason,
        errors.IntrospectionUnavailable().reason,
        errors.RevocationCheckUnavailable().reason,
    ]
    assert [code(row[0]) for row in REASONS] == ours
    assert all(all(row) for row in REASONS)


@pytest.mark.parametrize(("module", "number"), [(signals, 0), (account_signals, 1)])
def test_the_signals_table_is_the_docstring(module, number):
    """Each signal has one row with the arguments that its module names for it, and no other has."""
    rows = {
        code(name): set(re.findall(r"`([a-z_]+)`", arguments)) for name, _, arguments in table(SIGNALS, number=number)
    }
    assert set(rows) == {name for name, value in vars(module).items() if isinstance(value, Signal)}
    for name, arguments in rows.items():
        described = re.search(rf"^``{name}``(.*?)(?=^``|^$)", module.__doc__, re.MULTILINE | re.DOTALL)[1]
        assert arguments - {"detail"} == set(re.findall(r"``([a-z_]+)``", described)) - {"detail"}


def _options(parser):
    """Return the options of a command and of its actions, but for those that every command has."""
    common = BaseCommand().create_parser("manage.py", "command")
    own = {option for action in parser._actions for option in action.option_strings}
    children = [child for action in parser._actions if action.nargs == "A..." for child in action.choices.values()]
    return (own - set(common._option_string_actions)).union(*map(_options, children))


@pytest.mark.parametrize(
    ("name", "command"),
    [("oauth_jwks", oauth_jwks), ("explain_token", explain_token), ("oauth_accounts", oauth_accounts)],
)
def test_the_commands_tables_have_every_option(name, command):
    """Each option has one row, and no other has."""
    rows = [cell for row in table(COMMANDS, f"`{name}`") for cell in row if cell.startswith("`--")]
    assert sorted(map(code, rows)) == sorted(_options(command.Command().create_parser("manage.py", name)))
