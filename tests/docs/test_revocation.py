"""The page on revocation: the denylist and a project's own check, as its code has them."""

import pytest
from django.contrib.auth.models import User
from django.http import JsonResponse

from django_oauth_jwt.conf import get_settings
from django_oauth_jwt.decorators import secure
from django_oauth_jwt.errors import InvalidToken
from django_oauth_jwt.verification import verify_token


@pytest.fixture
def whoami(project):
    """A project whose settings are those of the page, with a view of its own."""
    project.configure("settings", "revocation-settings")
    project.route(whoami=secure()(lambda request: JsonResponse(request.claims)))


@pytest.fixture
def status_of(client):
    """Ask for the view with a token, and return the status."""
    return lambda token: client.get("/whoami/", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.usefixtures("whoami")
def test_who_logs_out_and_who_is_dismissed_is_refused_at_once(project, as_issuer, client, status_of, frozen_time):
    """The one with that token, the other with all tokens so far."""
    views = project.module("books.sessions", "revocation")
    project.route(logout=views.log_out)
    with as_issuer.installed():
        token, of_bert, other = (
            as_issuer.token(sub=sub, aud="https://books.example.com") for sub in ("anna", "bert", "anna")
        )
        assert [status_of(each) for each in (token, of_bert, other)] == [200, 200, 200]
        assert client.get("/logout/", headers={"Authorization": f"Bearer {token}"}).status_code == 204
        views.dismiss(as_issuer.issuer, "bert")
        assert [status_of(each) for each in (token, of_bert, other)] == [403, 403, 200]
        frozen_time.now += 1
        assert status_of(as_issuer.token(sub="bert", aud="https://books.example.com")) == 200


@pytest.mark.django_db
def test_a_check_of_the_projects_own(project, as_issuer, settings, weak_passwords):
    """It looks into the database, and asks the denylist."""
    project.configure("settings", "revocation-settings")
    is_locked_out = project.module("books.accounts", "own-revocation").is_locked_out
    denylist = project.module("books.sessions", "revocation")
    User.objects.create_user("anna", is_active=False)
    User.objects.create_user("bert")
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "IS_REVOKED": "books.accounts.is_locked_out"}
    with as_issuer.installed():
        assert get_settings().is_revoked is is_locked_out
        tokens = {sub: as_issuer.token(sub=sub, aud="https://books.example.com") for sub in ("anna", "bert", "chris")}
        denylist.dismiss(as_issuer.issuer, "chris")
        assert verify_token(tokens["bert"]).subject == "bert"
        for sub in ("anna", "chris"):
            with pytest.raises(InvalidToken, match="revoked"):
                verify_token(tokens[sub])
