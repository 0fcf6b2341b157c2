"""The resolver: from a token to the user who its subject is here."""

import hashlib
import json
import logging
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import IntegrityError, router, transaction
from django.http import HttpRequest
from django.utils import timezone

from ...conf import AccountSettings, get_settings
from ...errors import InvalidToken
from ...http import keys_speak_for
from ...issuers import issuer_of_verified
from ...tokens import AccessToken
from .creation import new_users
from .fields import apply_fields, claim_at, claims_by_field, no_user, save_user
from .groups import apply_groups
from .models import MAXIMUM_LENGTH, FederatedIdentity
from .signals import identity_created, identity_linked

logger = logging.getLogger("django_oauth_jwt")

#: How exactly `last_seen` is kept: a write for each request would cost more than the rest.
LAST_SEEN: Final = timedelta(days=1)


def resolve_user(access_token: AccessToken, request: HttpRequest | None) -> Any:
    """Return the user who the token's subject is here; make it at the first login (the setting ACCOUNTS).

    A resolver for USER_RESOLVER. Raises InvalidToken (``unknown_user``) where there is none, or one who is not active;
    the log says why.
    """
    try:
        return _resolved(access_token, request)
    except InvalidToken as error:
        who = (access_token.subject, access_token.issuer)
        logger.warning("No user for %.255r of %.255r: %s", *who, error.detail or error.reason)
        raise


def _resolved(access_token: AccessToken, request: HttpRequest | None) -> Any:
    issuer, subject = _identity_of(access_token)
    if request is not None and not keys_speak_for(request, issuer):
        raise no_user("a key service without an issuer has verified the token: anybody's subject could be in it")
    settings = get_settings()
    accounts = issuer_of_verified(access_token, settings).accounts
    identity = _find(FederatedIdentity.objects.all(), issuer, subject)
    if identity is None:
        identity = _first_login(issuer, subject, accounts, access_token)
    if identity.user.is_active:
        _keep_up(identity, accounts, access_token)
    if not identity.user.is_active:
        raise no_user("the user is not active")
    return identity.user


def _identity_of(access_token: AccessToken) -> tuple[str, str]:
    for name, value in (("iss", access_token.issuer), ("sub", access_token.subject)):
        if not value or "\0" in value or len(value) > MAXIMUM_LENGTH:
            raise no_user(f"{name} is absent or empty, has a NUL in it, or more than {MAXIMUM_LENGTH} characters")
    return str(access_token.issuer), str(access_token.subject)


def _find(identities: Any, issuer: str, subject: str) -> FederatedIdentity | None:
    """Return the identity, with its user, in one query."""
    found: FederatedIdentity | None = identities.select_related("user").filter(issuer=issuer, subject=subject).first()
    # Some databases ignore case, and blanks at the end.
    if found is not None and (found.issuer, found.subject) != (issuer, subject):
        raise no_user("the database takes the subject for another one, of other case or blanks")
    return found


def _first_login(issuer: str, subject: str, accounts: AccountSettings, access_token: AccessToken) -> FederatedIdentity:
    using = router.db_for_write(FederatedIdentity)
    linked = _linked_user(accounts, access_token)
    if linked is None and not accounts.create:
        raise no_user("nobody is linked to the subject, and CREATE is off")
    for user in new_users(accounts, access_token) if linked is None else [linked]:
        identity = FederatedIdentity(issuer=issuer, subject=subject, user=user)
        try:
            _store(identity, accounts, access_token, using)
        except IntegrityError:
            # Another request was faster, or the name is taken.
            found = _find(FederatedIdentity.objects.using(using), issuer, subject)
            if found is not None:
                return found
        else:
            signal = identity_created if linked is None else identity_linked
            signal.send_robust(FederatedIdentity, identity=identity, user=user, access_token=access_token)
            return identity
    raise no_user("a field of the new user that has to be unique is another user's already")


def _linked_user(accounts: AccountSettings, access_token: AccessToken) -> Any:
    user = None if accounts.link is None else accounts.link(access_token)
    if user is not None and (not isinstance(user, get_user_model()) or user._state.adding):  # noqa: SLF001  # as below
        raise TypeError(f"LINK must return a stored user or None, not a {type(user).__name__}")
    return user


def _store(identity: FederatedIdentity, accounts: AccountSettings, access_token: AccessToken, using: str) -> None:
    """Store an identity, and its user where that is a new one: both or none.

    A user who was linked has no digest yet, so that the claims bring them up to date next.
    """
    user: Any = identity.user
    with transaction.atomic(using=using):
        if user._state.adding:  # noqa: SLF001  # documented, in spite of its underscore
            save_user(user, using=using, force_insert=True)  # where a name is the key, a save would replace its user
            identity.user = user  # now that it has a key
            identity.claims_digest = _digest(accounts, access_token)
            if accounts.groups is not None:
                apply_groups(user, accounts.groups, access_token.claims, using)
        identity.save(using=using, force_insert=True)


def _keep_up(identity: FederatedIdentity, accounts: AccountSettings, access_token: AccessToken) -> None:
    """Bring a known user up to date where the claims have changed; nothing is written where they have not."""
    digest = _digest(accounts, access_token) if accounts.update else identity.claims_digest
    now = timezone.now()
    if digest == identity.claims_digest and now - identity.last_seen < LAST_SEEN:
        return
    using = router.db_for_write(FederatedIdentity)
    try:
        with transaction.atomic(using=using):
            # A write comes first: SQLite gives two that have both read the same error.
            changed = FederatedIdentity.objects.using(using).filter(pk=identity.pk, user=identity.user)
            if not changed.update(claims_digest=digest, last_seen=now):
                raise no_user("the identity was deleted, or moved to another user, in between")
            if digest != identity.claims_digest:
                _update_user(identity, accounts, access_token, using)
    except IntegrityError:
        raise no_user("a claim has a value that has to be unique, and is another user's") from None


def _update_user(identity: FederatedIdentity, accounts: AccountSettings, access_token: AccessToken, using: str) -> None:
    """Change what the claims say otherwise, of the user as they are now: two tokens may come at once."""
    users = get_user_model()._base_manager.using(using)  # noqa: SLF001  # documented, in spite of its underscore
    user: Any = users.select_for_update().get(pk=identity.user.pk)
    changed = apply_fields(user, accounts, access_token.claims)
    if changed:
        save_user(user, using=using, update_fields=changed)
    if accounts.groups is not None:
        apply_groups(user, accounts.groups, access_token.claims, using)
    identity.user = user


def _digest(accounts: AccountSettings, access_token: AccessToken) -> str:
    """Return a hash of all that the user is brought up to date with: the settings, and the claims that they name."""
    fields = claims_by_field(accounts)
    paths = [*fields.values(), *([accounts.groups.claim] if accounts.groups is not None else [])]
    values = [claim_at(access_token.claims, path) for path in paths]
    named = json.dumps([str(fields), str(accounts.groups), values], sort_keys=True)
    return hashlib.sha256(named.encode()).hexdigest()
