"""An authorization server made of django-oauth-toolkit, in a process and with a database of its own.

It prints its issuer identifier when it listens. What it knows of tokens is the toolkit's own; nothing of the package
under test is imported.
"""

import sys

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.urls import include, path
from werkzeug.serving import make_server

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    SECRET_KEY="signs nothing that leaves this process",
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # of the clients' secrets
    OAUTH2_PROVIDER={"SCOPES": {"read": "Read", "write": "Write"}, "ACCESS_TOKEN_EXPIRE_SECONDS": 3600},
    MIGRATION_MODULES={"auth": None, "contenttypes": None, "oauth2_provider": None},  # tables at once, in half a second
    USE_TZ=True,
)
django.setup()
urlpatterns = [path("", include("oauth2_provider.urls"))]


def register(client_id, client_secret):
    """Register a client with a secret, which may have tokens for itself and ask about those of others."""
    from oauth2_provider.models import Application  # noqa: PLC0415  # after the setup

    Application.objects.create(
        client_id=client_id,
        client_secret=client_secret,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )


if __name__ == "__main__":
    call_command("migrate", run_syncdb=True, verbosity=0)
    for credentials in sys.argv[2:]:
        register(*credentials.split(":", 1))
    server = make_server("127.0.0.1", 0, WSGIHandler(), threaded=True)
    print(f"http://127.0.0.1:{server.port}", flush=True)  # noqa: T201  # the test waits for it
    server.serve_forever()
