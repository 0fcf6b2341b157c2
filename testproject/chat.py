"""A WebSocket consumer of Django Channels: it tells who is connected, and repeats what they write."""

from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.urls import path


class Echo(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """The token is in the scope: `BearerJwtMiddleware` stands around the routes (`asgi.py`)."""

    async def connect(self) -> None:
        """Accept the connection, and greet the token's subject."""
        await self.accept()
        await self.send_json({"subject": self.scope["access_token"].subject})

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Repeat a message."""
        await self.send_json(content)


routes = [path("ws/echo", Echo.as_asgi())]
