"""The admin of identities: they are searched, moved to another user and deleted, and not edited otherwise."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest

from .models import FederatedIdentity


@admin.register(FederatedIdentity)
class FederatedIdentityAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """Identities by issuer, subject and user."""

    list_display = ("subject", "issuer", "user", "last_seen")
    list_filter = ("issuer",)
    list_select_related = ("user",)
    fields = ("issuer", "subject", "user", "last_seen")
    readonly_fields = ("issuer", "subject", "last_seen")
    raw_id_fields = ("user",)

    def get_search_fields(self, request: HttpRequest) -> Any:
        """Return the fields that are searched: the user by the name with which they log in."""
        return ("issuer", "subject", f"user__{get_user_model().USERNAME_FIELD}")

    def get_readonly_fields(self, request: HttpRequest, obj: FederatedIdentity | None = None) -> Any:
        """Return the fields that cannot be edited: all but for superusers, since an identity is worth its user."""
        return self.readonly_fields if _is_superuser(request) else self.fields

    def save_model(self, request: HttpRequest, obj: FederatedIdentity, form: Any, change: bool) -> None:
        """Move the identity, and have the next token bring its new user up to date."""
        if "user" in form.changed_data:
            obj.claims_digest = ""
        super().save_model(request, obj, form, change)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: an identity comes from a token, or from `manage.py oauth_accounts link`."""
        return False


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
