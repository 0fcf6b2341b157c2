"""The well-known URL of the protected resource metadata, for the root of a project's URLconf."""

from django.contrib.auth.decorators import login_not_required
from django.urls import re_path

from .decorators import token_not_required
from .http import protected_resource_metadata

app_name = "oauth_jwt"
urlpatterns = [
    re_path(
        # "." matches no line break, "$" before one as well, and a path may have one.
        r"^\.well-known/oauth-protected-resource(?P<path>/[\s\S]*)?\Z",
        login_not_required(token_not_required(protected_resource_metadata)),
        name="protected-resource-metadata",
    ),
]
