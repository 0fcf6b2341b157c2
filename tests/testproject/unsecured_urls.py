"""The example's plain views as they would be if nobody had secured them."""

from django.urls import include, path

from testproject.views import open_to_all

urlpatterns = [
    *[path(f"secured/{name}", open_to_all) for name in ("token", "scope", "claim", "async")],
    path("", include("testproject.urls")),
]
