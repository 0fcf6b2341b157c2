"""What is known of one request: read once, shared by all entry points, and no longer than its settings hold."""

from traceback import walk_tb

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.test import RequestFactory
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.response import Response

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.decorators import secure, token_not_required
from django_oauth_jwt.http import accepted_token, state_of
from django_oauth_jwt.middleware import JwtBearerMiddleware
from django_oauth_jwt.permissions import HasScope

from ..fixtures.issuers import FailingService


@secure()
def view(request):
    return HttpResponse(request.access_token.encoded)


@secure()
async def async_view(request):
    return HttpResponse(request.access_token.encoded)


@api_view()
@authentication_classes([BearerJwtAuthentication])
@permission_classes([HasScope("read")])
def drf_view(request):
    return Response()


def behind_the_middleware(request):
    """Answer as the middleware does that has the view behind it."""

    def get_response(request):
        return middleware.process_view(request, view, (), {}) or view(request)

    middleware = JwtBearerMiddleware(get_response)
    return middleware(request)


ENTRY_POINTS = [view, async_to_sync(async_view), drf_view, behind_the_middleware]
each_entry_point = pytest.mark.parametrize(
    "answer", ENTRY_POINTS, ids=["decorator", "async decorator", "DRF", "middleware"]
)


@each_entry_point
def test_a_request_that_is_sent_again_under_other_settings_is_verified_again(rsa_issuer, answer):
    """Its token is good for what the settings were, and for nothing that they have become."""
    request = RequestFactory().get("/", headers=rsa_issuer.headers("read", aud="api"))
    with rsa_issuer.installed(AUDIENCE="api"):
        assert answer(request).status_code == 200
        assert accepted_token(request) is not None
    with rsa_issuer.installed(AUDIENCE="other"):
        assert accepted_token(request) is None
        assert answer(request).status_code == 403
    with rsa_issuer.installed(AUDIENCE="api"):
        assert answer(request).status_code == 200


def test_the_first_entry_point_reads_the_runtime_for_all(issuer, monkeypatch):
    """The state is one object, from the middleware to the view, and holds the runtime of the moment."""
    seen = []

    @secure()
    def looking(request):
        seen.append(state_of(request))
        return HttpResponse()

    def get_response(request):
        seen.append(state_of(request))
        return middleware.process_view(request, looking, (), {}) or looking(request)

    middleware = JwtBearerMiddleware(get_response)
    middleware(RequestFactory().get("/", headers=issuer.headers()))
    assert len(seen) == 2
    assert seen[0] is seen[1]
    assert seen[0].runtime is get_runtime()


def test_a_look_at_a_request_leaves_nothing_on_it(issuer):
    """A permission that asks whether a token was accepted does not begin anything."""
    request = RequestFactory().get("/", headers=issuer.headers())
    before = dict(vars(request))
    assert accepted_token(request) is None
    assert vars(request) == before


def test_what_the_middleware_decided_outlives_a_change_of_settings(rsa_issuer):
    """A view that needs no token is answered, whatever a test does to the settings while it runs."""

    @token_not_required
    def changing(request):
        with rsa_issuer.installed(AUDIENCE="other"):
            assert state_of(request).token is None
        return HttpResponse()

    def get_response(request):
        return middleware.process_view(request, changing, (), {}) or changing(request)

    middleware = JwtBearerMiddleware(get_response)
    with rsa_issuer.installed(AUDIENCE="api"):
        assert middleware(RequestFactory().get("/")).status_code == 200


def test_no_token_is_in_the_repr_of_the_state(issuer):
    """Error pages show the variables of frames."""
    request = RequestFactory().get("/", headers=issuer.headers())
    view(request)
    assert issuer.token().split(".")[0] not in repr(state_of(request))


@each_entry_point
def test_a_service_that_fails_is_logged_without_the_requests_token(rsa_issuer, caplog, answer):
    """The frames that the log shows are those from the service on, whichever entry point asked it."""
    broken = FailingService(rsa_issuer.keys[-1], RuntimeError("out of order"))
    token = broken.token("read")
    request = RequestFactory().get("/", headers={"Authorization": f"Bearer {token}"})
    with broken.installed():
        assert answer(request).status_code == 503
    (record,) = [record for record in caplog.records if record.name == "django_oauth_jwt"]
    frames = [frame for frame, _ in walk_tb(record.exc_info[2])]
    assert frames
    assert all("key_set_for" in frame.f_code.co_name for frame in frames)
    assert token[-300:] not in repr([frame.f_locals for frame in frames])
