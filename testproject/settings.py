"""Settings of the example project: what `django_oauth_jwt` needs is INSTALLED_APPS and OAUTH_JWT."""

SECRET_KEY = "not-a-secret: the example signs and encrypts nothing"  # noqa: S105  # as it says
DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
ROOT_URLCONF = "testproject.urls"
WSGI_APPLICATION = "testproject.wsgi.application"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "django_oauth_jwt",
    "django_oauth_jwt.contrib.accounts",
    "testproject",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}

# Where `python -m testproject.authorization_server` listens.
OAUTH_JWT = {"JWKS_URI": "http://127.0.0.1:8001/jwks", "ISSUER": "http://127.0.0.1:8001"}

# What `manage.py demo` has as OAUTH_JWT["INTROSPECTION"], for opaque tokens: who the API is when it asks about one.
INTROSPECTION = {"CLIENT_ID": "books", "CLIENT_SECRET": "secret"}
