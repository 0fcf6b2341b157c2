"""Whose user an issuer's subject is."""

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.utils import timezone

from .apps import AccountsConfig

# Else Django would take the model for one of `django_oauth_jwt`, which has no tables.
if not apps.is_installed(AccountsConfig.name):
    raise ImproperlyConfigured(f"Add {AccountsConfig.name!r} to INSTALLED_APPS, and run manage.py migrate.")

#: Of an issuer and of a subject, in characters. OpenID Connect allows a subject 255.
MAXIMUM_LENGTH = 255


class FederatedIdentity(models.Model):
    """A subject of an issuer, and the user who it is here. Two issuers never share one.

    ``last_seen`` is kept to a day. ``claims_digest`` is a hash of the claims that the user was last brought up to date
    with, so that a token which says nothing new costs no write.
    """

    issuer = models.CharField(max_length=MAXIMUM_LENGTH)
    subject = models.CharField(max_length=MAXIMUM_LENGTH)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="federated_identities")
    last_seen = models.DateTimeField(default=timezone.now)
    claims_digest = models.CharField(max_length=64, default="", editable=False)

    class Meta:
        """One identity for each subject of an issuer."""

        verbose_name = "federated identity"
        verbose_name_plural = "federated identities"
        constraints = (models.UniqueConstraint(fields=("issuer", "subject"), name="oauth_accounts_issuer_and_subject"),)

    def __str__(self) -> str:
        return f"{self.subject} of {self.issuer}"
