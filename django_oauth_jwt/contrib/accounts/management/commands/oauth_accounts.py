"""`manage.py oauth_accounts`: which subjects are which users."""

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from .....conf import get_settings
from .....diagnosis import Console
from ...models import MAXIMUM_LENGTH, FederatedIdentity

_MOST_DAYS: Final = 36_500


class Command(BaseCommand):
    """Lists, links and prunes identities."""

    help = "List the identities of users, link a subject to a user, or delete identities that were not seen for long."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add a parser for each action."""
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="list identities")
        listing.add_argument("--issuer", help="of this issuer alone")
        listing.add_argument("--user", help="of the user with this name alone")
        link = actions.add_parser("link", help="link a subject to a user, or move it to another one")
        link.add_argument("issuer")
        link.add_argument("subject")
        link.add_argument("user", help="the name of the user")
        prune = actions.add_parser("prune", help="delete identities; their users stay")
        prune.add_argument("--days", type=_days, required=True, help="those that were not seen for so many days")
        prune.add_argument("--dry-run", action="store_true", help="list them and delete none")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the action."""
        {"list": self._list, "link": self._link, "prune": self._prune}[options["action"]](options)

    def _list(self, options: dict[str, Any]) -> None:
        identities = FederatedIdentity.objects.all()
        if options["issuer"] is not None:
            identities = identities.filter(issuer=options["issuer"])
        if options["user"] is not None:
            identities = identities.filter(user=_user_named(options["user"]))
        self._print(identities)

    def _link(self, options: dict[str, Any]) -> None:
        user = _user_named(options["user"])
        for name in ("issuer", "subject"):
            if not 0 < len(options[name]) <= MAXIMUM_LENGTH:
                raise CommandError(f"The {name} must have 1 to {MAXIMUM_LENGTH} characters.")
        trusted = get_settings().named_issuers
        if trusted and options["issuer"] not in trusted:
            self.stderr.write(f"OAUTH_JWT does not list that issuer, but {', '.join(trusted)}.")
        identity, is_new = FederatedIdentity.objects.update_or_create(
            issuer=options["issuer"], subject=options["subject"], defaults={"user": user, "claims_digest": ""}
        )
        self.stdout.write(_shown(f"{identity} is {'' if is_new else 'now '}the user {user.get_username()}."))

    def _prune(self, options: dict[str, Any]) -> None:
        before = timezone.now() - timedelta(days=options["days"])
        identities = FederatedIdentity.objects.filter(last_seen__lt=before)
        self._print(identities)
        if options["dry_run"]:
            self.stdout.write("None is deleted (--dry-run).")
        else:
            count, _ = identities.delete()
            self.stdout.write(f"Deleted: {count}.")

    def _print(self, identities: Any) -> None:
        rows = map(_row, identities.select_related("user").order_by("issuer", "subject"))
        for line in Console.table([("subject", "issuer", "user", "last seen"), *rows]):
            self.stdout.write(line)


def _row(identity: FederatedIdentity) -> tuple[str, ...]:
    texts = (identity.subject, identity.issuer, identity.user.get_username())
    return *map(_shown, texts), f"{identity.last_seen:%Y-%m-%d}"


def _shown(text: str) -> str:
    """Return a text without what a terminal would obey: a subject may hold anything."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _days(text: str) -> int:
    days = int(text)
    if not 0 < days <= _MOST_DAYS:
        raise ArgumentTypeError(f"must be from 1 to {_MOST_DAYS}")
    return days


def _user_named(name: str) -> Any:
    model = get_user_model()
    try:
        return model._default_manager.get_by_natural_key(name)  # noqa: SLF001  # documented, in spite of its underscore
    except (model.DoesNotExist, ValueError) as error:  # ValueError: names are no text, but numbers, say
        raise CommandError(f"There is no user {name!r}.") from error
