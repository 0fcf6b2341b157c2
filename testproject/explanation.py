"""What `manage.py explain_token` says of a token, for the page.

That is more than the client of a real API may know, so nobody but this machine is told. The token comes in the header,
as in the request that is explained: no other site can have a browser send that, and no log has it.
"""

from ipaddress import ip_address

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.diagnosis import explain
from django_oauth_jwt.proofs import DPOP, RequestFacts

from .index import ENDPOINTS


@require_POST
def explain_token(request: HttpRequest) -> JsonResponse:
    """Explain the token in the header, and the proof beside it as one for a GET of ``path``, which is not used up.

    What a token says of itself is left out: that of an opaque one is not for the client.
    """
    if not _is_on_this_machine(request):
        raise PermissionDenied
    path = request.POST.get("path")
    if "Authorization" not in request.headers or path not in {endpoint.path for endpoint in ENDPOINTS}:
        raise BadRequest("A token and the path of a view are needed")
    scheme, _, token = request.headers["Authorization"].partition(" ")
    proof = request.headers.get("DPoP")
    assumed = scheme.lower() if proof is None else DPOP
    sent = RequestFacts(assumed, "GET", request.build_absolute_uri(path), proof)
    explanation = explain(token, get_runtime(), sent)
    rules = [{"rule": each.rule, "passed": each.passed, "detail": each.detail} for each in explanation.results]
    document = {"verdict": explanation.verdict, "rules": rules, "not_checked": explanation.not_checked}
    return JsonResponse(document, headers={"Cache-Control": "no-store"})


def _is_on_this_machine(request: HttpRequest) -> bool:
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:  # a server behind a Unix socket has none
        return False
