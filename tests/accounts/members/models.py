"""A user model as far from Django's own as can be: a UUID for a key, an e-mail to log in with, no names, no groups."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Member(AbstractBaseUser):
    """Somebody of a company, which nobody is without."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    company = models.CharField(max_length=20)
    is_active = models.BooleanField(default=True)

    objects = BaseUserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ("company",)

    class Meta:
        """The app is not listed by its path alone."""

        app_label = "members"
