"""Tenants in a table, and the resolver that asks it: what the tests' projects have as ISSUER_RESOLVER."""

import os
import time
from pathlib import Path

from django.db import models


class Tenant(models.Model):
    """A customer with an authorization server of its own; ``entry`` is as one of ISSUERS."""

    issuer = models.CharField(max_length=255, unique=True)
    entry = models.JSONField(default=dict)

    class Meta:
        """The app is not installed."""

        app_label = "tests_tenants"  # that of the manual is "tenants"

    def __str__(self):
        return self.issuer


def resolve(iss):
    return Tenant.objects.filter(issuer=iss).values_list("entry", flat=True).first()


def resolve_or_hang(iss):
    """Hang while the file that the environment names is there, whichever issuer it is."""
    while Path(os.environ["HANGING"]).exists():
        time.sleep(0.05)
    return resolve(iss)
