"""The example project as ASGI application; with WebSockets, where the package `channels` is installed."""

import os
from importlib.util import find_spec
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "testproject.settings")

application: Any = get_asgi_application()

if find_spec("channels") is not None:
    from channels.routing import ProtocolTypeRouter, URLRouter

    from django_oauth_jwt.contrib.channels import BearerJwtMiddleware

    from .chat import routes

    connections = BearerJwtMiddleware(URLRouter(routes), scope="read")
    application = ProtocolTypeRouter({"http": application, "websocket": connections})
