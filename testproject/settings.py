"""Settings of the example project."""

SECRET_KEY = "not-a-secret: the example signs and encrypts nothing"
DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
ROOT_URLCONF = "testproject.urls"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "django_oauth_jwt",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
OAUTH_JWT = {"JWKS_URI": "http://127.0.0.1:8001/jwks", "ISSUER": "http://127.0.0.1:8001"}
