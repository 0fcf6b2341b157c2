"""The project that gunicorn serves, one view and what the environment says."""

import json
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

_config = json.loads(os.environ["BENCHMARK_PROJECT"])


def view(request):
    return HttpResponse(b"hello", headers={"Content-Length": "5"})


urlpatterns = [path("view", view)]

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "django_oauth_jwt"],
    MIDDLEWARE=_config["middleware"],
    OAUTH_JWT=_config["oauth_jwt"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="signs nothing here",
)

application = get_wsgi_application()

if "handwritten" in _config:
    from . import peer_requests

    peer_requests.trust(*_config["handwritten"])
