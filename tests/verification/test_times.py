"""The times of a token, through `verify_token` and its async twin."""

import pytest

NOW = 1_800_000_000
HUGE = 10**400


@pytest.mark.parametrize(
    ("leeway", "claims", "reason"),
    [
        # exp: later than now less the leeway.
        (10, {"exp": NOW + 1}, None),
        (10, {"exp": NOW}, None),
        (10, {"exp": NOW - 9}, None),
        (10, {"exp": NOW - 9.999}, None),
        (10, {"exp": NOW - 10}, "expired"),
        (10, {"exp": NOW - 10.0}, "expired"),
        (10, {"exp": NOW - 11}, "expired"),
        (0, {"exp": NOW + 0.001}, None),
        (0, {"exp": NOW}, "expired"),
        (2.5, {"exp": NOW - 2.25}, None),
        (2.5, {"exp": NOW - 2.5}, "expired"),
        (10, {"exp": 0}, "expired"),
        (10, {"exp": -1}, "expired"),
        (10, {"exp": -HUGE}, "expired"),
        (10, {"exp": HUGE}, None),
        (10, {"exp": 1e308}, None),
        # nbf and iat: not later than now and the leeway.
        (10, {"nbf": NOW + 10}, None),
        (10, {"nbf": NOW + 10.5}, "not_yet_valid"),
        (10, {"nbf": NOW + 11}, "not_yet_valid"),
        (0, {"nbf": NOW}, None),
        (0, {"nbf": NOW + 1}, "not_yet_valid"),
        (10, {"nbf": HUGE}, "not_yet_valid"),
        (10, {"nbf": -HUGE}, None),
        (10, {"iat": NOW + 10}, None),
        (10, {"iat": NOW + 11}, "issued_in_the_future"),
        (0, {"iat": NOW}, None),
        (0, {"iat": NOW + 1}, "issued_in_the_future"),
        (10, {"iat": HUGE}, "issued_in_the_future"),
        (10, {"iat": 0}, None),
        # All at once: the first that is told is exp.
        (10, {"exp": NOW - 60, "nbf": NOW + 60, "iat": NOW + 60}, "expired"),
        (10, {"nbf": NOW + 60, "iat": NOW + 60}, "not_yet_valid"),
    ],
)
def test_the_times_are_sharp(reason_of, rsa_issuer, frozen_time, leeway, claims, reason):
    """To the second and less, with the leeway on each side (RFC 7519 sections 4.1.4 to 4.1.6)."""
    with rsa_issuer.installed(LEEWAY=leeway):
        assert reason_of(rsa_issuer.token(**claims)) == reason


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["null", "true", "false", '"1900000000"', "[1900000000]", "{}", '""'])
def test_a_time_that_is_no_number_is_malformed(signed, reason_of, issuer, name, value):
    """A NumericDate is a JSON number, and neither true nor a string that looks like one."""
    claims = {"iss": f'"{issuer.issuer}"', "exp": "99999999999", name: value}
    payload = "{" + ", ".join(f'"{claim}": {text}' for claim, text in claims.items()) + "}"
    expected = "missing_claim" if (name, value) == ("exp", "null") else "malformed_claim"
    assert reason_of(signed(issuer, payload.encode())) == expected
    with issuer.installed(REQUIRED_CLAIMS=[]):
        assert reason_of(signed(issuer, payload.encode())) == "malformed_claim"
