"""The refusals: their reasons are a promise to programs, their descriptions go to whoever sent the token."""

import copy
import json
import pickle
import re
import traceback
from pathlib import Path

import pytest
from django.test import RequestFactory

from django_oauth_jwt import errors
from django_oauth_jwt.errors import (
    BearerError,
    InsufficientAuthentication,
    InsufficientScope,
    IntrospectionUnavailable,
    InvalidProof,
    InvalidToken,
    IssuerUnavailable,
    KeysUnavailable,
    MissingClaims,
    MissingToken,
    NonceRequired,
    ReplayCheckUnavailable,
    RevocationCheckUnavailable,
)
from django_oauth_jwt.http import refuse

#: Programs compare with these words, so none may change or go; a new one is added here on purpose.
REASONS = {
    MissingToken: "no_authorization other_scheme malformed_authorization",
    InvalidToken: (
        "empty too_long malformed critical_header wrong_algorithm wrong_type unknown_kid ambiguous_key bad_signature "
        "missing_claim malformed_claim wrong_issuer wrong_audience expired not_yet_valid issued_in_the_future "
        "unknown_user revoked inactive unproven"
    ),
    InvalidProof: (
        "missing_proof malformed_proof wrong_proof_key wrong_proof_method wrong_proof_url stale_proof replayed_proof "
        "wrong_proof_token"
    ),
}
ALL = [
    *(kind(reason) for kind, reasons in REASONS.items() for reason in reasons.split()),
    *(MissingToken(), InsufficientScope(), InsufficientScope(["read", "write"]), MissingClaims()),
    *(InvalidToken("own", "Words", detail="more"), MissingClaims(["role"], detail="role")),
    *(MissingToken("own"), InvalidProof("own", detail="more")),
    *(InsufficientScope("read write"), InsufficientAuthentication("gold silver", 60), MissingClaims("role")),
    *(KeysUnavailable(), KeysUnavailable(30), InsufficientAuthentication(["gold"], 60)),
    *(NonceRequired("nonce"), ReplayCheckUnavailable(), InvalidProof("stale_proof", detail="more")),
    *(RevocationCheckUnavailable(30), IssuerUnavailable(), IssuerUnavailable(30)),
    *(IntrospectionUnavailable(), IntrospectionUnavailable(30)),
]
#: RFC 6750 section 3: %x20-21 / %x23-5B / %x5D-7E.
ALLOWED = {chr(code) for code in range(0x20, 0x7F)} - {'"', "\\"}


def _name(error):
    return f"{type(error).__name__}-{error.reason}"


@pytest.mark.parametrize("kind", REASONS)
def test_the_reasons_are_stable(kind):
    """Every reason of a class, no more and no fewer."""
    assert sorted(kind.DESCRIPTIONS) == sorted(REASONS[kind].split())


def test_the_other_reasons_are_stable():
    """The classes with one reason each."""
    kinds = (InsufficientScope, MissingClaims, KeysUnavailable, InsufficientAuthentication)
    unavailable = (ReplayCheckUnavailable, RevocationCheckUnavailable, IntrospectionUnavailable)
    assert [kind().reason for kind in (*kinds, *unavailable)] == [
        *("insufficient_scope", "missing_claims", "keys_unavailable", "insufficient_user_authentication"),
        *("replay_check_unavailable", "revocation_check_unavailable", "introspection_unavailable"),
    ]
    assert NonceRequired("nonce").reason == "use_dpop_nonce"


def test_every_refusal_is_known_here():
    """A new class of refusal is tested like the others."""
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BearerError)}
    assert kinds - {BearerError} == {type(error) for error in ALL}


@pytest.mark.parametrize("kind", REASONS)
def test_a_project_has_reasons_of_its_own(kind):
    """Of each of these classes, itself or in a subclass."""

    class Mine(kind):
        def __init__(self):
            super().__init__("mine")

    for error in (kind("mine"), Mine()):
        assert (error.reason, error.status, error.error) == ("mine", kind.status, kind.error)
        assert error.description
        assert set(error.description) <= ALLOWED


@pytest.mark.parametrize("kind", REASONS)
def test_the_package_invents_no_reason(kind):
    """A project may; in the package each reason is one of those above."""
    sources = Path(errors.__file__).parent.rglob("*.py")
    call = re.compile(rf'\b{kind.__name__}\(\s*"(\w+)"[,)]')
    used = {reason for path in sources for reason in call.findall(path.read_text())}
    assert used
    assert used - {"wrong_tenant"} <= kind.DESCRIPTIONS.keys()  # which is the example in the docstring
    if kind is InvalidToken:
        assert {"expired", "wrong_type", "unknown_user"} - used == {"expired"}  # a time's reason stands in a table


def test_one_string_is_no_list_of_letters():
    """Scopes and levels are split at spaces, as `secure` and the challenge write them; a claim is one name."""
    assert InsufficientScope("read write").scope == "read write"
    assert InsufficientScope("read write").args == (("read", "write"),)
    assert InsufficientAuthentication("gold silver").acr_values == "gold silver"
    assert MissingClaims("role").missing == ("role",)
    assert InsufficientScope("").scope == InsufficientAuthentication("").acr_values == ""


def test_a_detail_is_for_the_project_alone(issuer):
    """It stands on the error, and in no part of the answer."""
    kinds = [
        BearerError("own", "Words", detail="secret"),
        InvalidToken("expired", detail="secret"),
        InvalidToken("own", "Words", detail="secret"),
        InsufficientScope(["a"], detail="secret"),
        MissingClaims(["secret"], detail="secret"),
        InsufficientAuthentication(["a"], detail="secret"),
    ]
    for error in kinds:
        assert error.detail == "secret"
        answer = refuse(error)
        assert "secret" not in answer.content.decode() + str(answer.headers) + str(error)
    assert BearerError("own", "Words").detail is None


def test_missing_claims_have_names():
    """For programs, and for the log where nobody says it in other words; none where nobody said."""
    error = MissingClaims(iter(["role", "realm_access.roles"]))
    assert error.missing == ("role", "realm_access.roles")
    assert error.detail == "role, realm_access.roles"
    assert MissingClaims("role", detail="none of the roles").detail == "none of the roles"
    assert (MissingClaims().missing, MissingClaims().detail) == ((), None)
    assert MissingClaims([1, None]).detail == "1, None"


@pytest.mark.parametrize("error", ALL, ids=_name)
def test_a_description_can_stand_in_the_challenge(error):
    """Only what RFC 6750 allows in error_description, and something at all."""
    assert error.description
    assert set(error.description) <= ALLOWED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (InsufficientScope(["secret"]), InsufficientScope()),
        (KeysUnavailable(30), KeysUnavailable()),
        (IntrospectionUnavailable(30), IntrospectionUnavailable()),
        (InsufficientAuthentication(["secret"], 1), InsufficientAuthentication()),
        (NonceRequired("secret"), NonceRequired("")),
    ],
)
def test_a_description_says_nothing_of_the_case_at_hand(one, other):
    """It is a constant, so no token, claim, key or URL can get into it."""
    assert one.description == other.description == str(one)


class UnpaidBill(BearerError):
    """A refusal of a project with arguments of its own."""

    status = 402
    error = "payment_required"

    def __init__(self, month, *, amount=0):
        super().__init__("unpaid_bill", f"The bill of {month} is not paid", detail=f"{amount} EUR")
        self.month = month


class LockedTenant(InvalidToken):
    """One that overrides a status, and whose arguments are others than its parent's."""

    status = 423

    def __init__(self, tenant, /):
        super().__init__("locked_tenant", detail=tenant)


OWN = [UnpaidBill("May"), UnpaidBill("May", amount=5), LockedTenant("a"), UnpaidBill(month="May")]
#: What is given once only, or cannot leave the process.
OF_ITERATORS = [
    InsufficientScope(iter(["read"])),
    MissingClaims(name for name in ["role"]),
    InsufficientAuthentication(iter(["gold"]), 60),
]


@pytest.mark.parametrize("error", [*ALL, *OWN, *OF_ITERATORS], ids=_name)
def test_a_refusal_survives_copying_and_pickling(error):
    """Task queues and test runners send exceptions from process to process, with whichever protocol of pickle."""
    for twin in copy.copy(error), copy.deepcopy(error), *(pickle.loads(pickle.dumps(error, p)) for p in range(6)):
        assert type(twin) is type(error)
        assert vars(twin) == vars(error)
        assert (str(twin), twin.args) == (str(error), error.args)
        assert (twin.status, twin.error) == (error.status, error.error)


@pytest.mark.parametrize("error", [*ALL, *OWN[:3], *OF_ITERATORS], ids=_name)
def test_a_refusal_can_be_made_again_from_its_args(error):
    """In JSON, as Celery sends exceptions; `detail` and what is given by name alone stay behind."""
    twin = type(error)(*json.loads(json.dumps(error.args)))
    assert str(twin) == str(error) == error.description
    assert (twin.status, twin.reason) == (error.status, error.reason)
    assert vars(twin) | {"detail": None} == vars(error) | {"detail": None}


@pytest.mark.parametrize("error", [*ALL, *OWN], ids=_name)
def test_a_refusal_is_printed_as_its_description(error):
    """In a log and a traceback, whatever it was made with."""
    assert traceback.format_exception_only(error)[0].endswith(f"{type(error).__name__}: {error.description}\n")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (MissingToken(), 401, None),
        (InvalidToken("expired"), 403, "invalid_token"),
        (InsufficientScope(), 403, "insufficient_scope"),
        (MissingClaims(), 403, "invalid_token"),
        (InsufficientAuthentication(), 401, "insufficient_user_authentication"),
        (KeysUnavailable(), 503, "temporarily_unavailable"),
        (ReplayCheckUnavailable(), 503, "temporarily_unavailable"),
        (InvalidToken("unproven"), 401, "invalid_token"),
        (InvalidProof("stale_proof"), 401, "invalid_dpop_proof"),
        (NonceRequired("nonce"), 401, "use_dpop_nonce"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_refusal_has_its_status_and_code(issuer, error, status, code):
    """RFC 6750 section 3.1, with express-oauth-jwt's 403 for a bad token."""
    assert (error.status, error.error) == (status, code)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (MissingToken, 401),
        (InsufficientScope, 403),
        (MissingClaims, 403),
        (InsufficientAuthentication, 401),
        (KeysUnavailable, 503),
        (ReplayCheckUnavailable, 503),
        (InvalidProof, 401),
        (NonceRequired, 401),
    ],
)
def test_a_status_that_is_always_the_same_is_the_classs(kind, status):
    """A test of a project, or its documentation, can name it without an instance."""
    assert kind.status == status


def test_the_status_of_a_bad_token_is_the_settings(rsa_issuer):
    """INVALID_TOKEN_STATUS speaks for the answers to tokens that fail validation, and for nothing else."""
    assert InvalidToken.status == 403
    with rsa_issuer.installed(INVALID_TOKEN_STATUS=401):
        assert refuse(InvalidToken("expired")).status_code == 401
        assert refuse(MissingClaims()).status_code == 403


@pytest.mark.parametrize("status", [401, 403])
def test_the_status_of_a_token_that_is_not_its_senders_is_no_settings(rsa_issuer, status):
    """RFC 9449 section 7.1 and RFC 8705 section 3 say 401; only a project's own kind of refusal has its own."""

    class Mine(InvalidToken):
        status = 402

    with rsa_issuer.installed(INVALID_TOKEN_STATUS=status):
        assert refuse(InvalidToken("unproven")).status_code == 401
        assert refuse(InvalidToken("unproven", "Words", detail="more")).status_code == 401
        assert refuse(Mine("unproven")).status_code == 402


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(77, 77), (2.5, 3), (0.2, 1), (0, 1), (-5, 1), (5.0, 5), (float("inf"), 1), (float("-inf"), 1), (float("nan"), 1)],
)
def test_retry_after_is_a_whole_number_of_seconds(given, seconds):
    """RFC 9110 section 10.2.3 has no other, whatever a project has computed; a copy says the same."""

    class Busy(KeysUnavailable):
        pass

    for error in (KeysUnavailable(given), Busy(given), copy.copy(Busy(given))):
        assert refuse(error)["Retry-After"] == str(seconds)


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (ValueError("secret"), "a ValueError"),
        (InvalidToken, "the class InvalidToken"),
        (RequestFactory().get("/"), "a WSGIRequest"),
        ("expired", "a str"),
    ],
)
def test_what_is_no_refusal_cannot_be_answered(mistake, words):
    """The error says what to give instead, and shows nothing of what was given."""
    with pytest.raises(TypeError, match=f"^refuse\\(\\) takes a BearerError, such as .*, not {words}$"):
        refuse(mistake)


def test_what_a_challenge_needs_is_on_the_refusal():
    """The scopes that are required, how to authenticate, when to come back."""
    assert InsufficientScope(["read", "write"]).scope == "read write"
    step_up = InsufficientAuthentication(["gold", "silver"], 0)
    assert (step_up.acr_values, step_up.max_age) == ("gold silver", "0")
    assert InsufficientAuthentication().max_age == ""
    assert NonceRequired("nonce").nonce == "nonce"
    assert [KeysUnavailable(seconds).retry_after for seconds in (-5, 0, 1, 30)] == [1, 1, 1, 30]
