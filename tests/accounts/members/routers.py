"""People and their identities in one database, all else in another."""

PEOPLE = {"members", "oauth_accounts"}


class PeopleRouter:
    """Decides by the app."""

    def db_for_read(self, model, **hints):
        return "people" if model._meta.app_label in PEOPLE else "default"

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return (db == "people") == (app_label in PEOPLE)
