"""The example's URLs: one open view, three secured ones, an async one, and their twins by Django REST Framework."""

from django.urls import path

from . import api, views

urlpatterns = [
    path("open", views.open_to_all),
    path("secured/token", views.any_token),
    path("secured/scope", views.with_scope),
    path("secured/claim", views.with_claim),
    path("secured/async", views.any_token_async),
    path("api/token", api.AnyToken.as_view()),
    path("api/scope", api.WithScope.as_view()),
    path("api/claim", api.WithClaim.as_view()),
]
