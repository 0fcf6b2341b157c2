"""The example's URLs: a page to try the others from, one open view, three secured ones, an async one, and DRF twins.

Where django-ninja is installed, there are the same views as its operations; where the package `mcp` is, there is a
Model Context Protocol server as well.
"""

from importlib.util import find_spec

from django.urls import include, path

from . import api, explanation, index, views

urlpatterns = [
    path("", index.index),
    path("explain", explanation.explain_token),
    path("open", views.open_to_all),
    path("secured/token", views.any_token),
    path("secured/scope", views.with_scope),
    path("secured/claim", views.with_claim),
    path("secured/async", views.any_token_async),
    path("api/token", api.AnyToken.as_view()),
    path("api/scope", api.WithScope.as_view()),
    path("api/claim", api.WithClaim.as_view()),
    path("", include("django_oauth_jwt.urls")),
]

if find_spec("ninja") is not None:
    from .ninja_api import api as ninja_api

    urlpatterns.append(path("ninja/", ninja_api.urls))

if find_spec("mcp") is not None:
    from .mcp_server import mcp

    urlpatterns.append(path("mcp", mcp))
