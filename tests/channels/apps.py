"""ASGI apps and consumers of Channels behind the middleware."""

import asyncio

from channels.generic.websocket import AsyncJsonWebsocketConsumer, JsonWebsocketConsumer


class App:
    """Accepts each connection, and keeps what it was given: the scope, and each message."""

    def __init__(self, **accept):
        self.accept = accept
        self.scope, self.messages = None, []

    async def __call__(self, scope, receive, send):
        self.scope = scope
        await receive()
        await send({"type": "websocket.accept", **self.accept})
        while not self.messages or self.messages[-1]["type"] != "websocket.disconnect":
            self.messages.append(await receive())


class Echo(AsyncJsonWebsocketConsumer):
    """Repeats what it is told; ``closed_with`` are the codes with which connections ended."""

    closed_with = ()

    async def receive_json(self, content):
        await self.send_json(content)

    async def disconnect(self, code):
        type(self).closed_with += (code,)


class SyncEcho(JsonWebsocketConsumer):
    """Does the same in a thread."""

    closed_with = ()

    def receive_json(self, content):
        self.send_json(content)

    def disconnect(self, code):
        type(self).closed_with += (code,)


class Busy(AsyncJsonWebsocketConsumer):
    """Is told once to count, and never hears of anything again: it sends one number each time that it may go on."""

    def __init__(self, may_go_on):
        super().__init__()
        self.may_go_on, self.error = may_go_on, None

    async def receive_json(self, content):
        number = 0
        while True:
            await self.send_json(number)
            await self.may_go_on.acquire()
            number += 1


async def never(*args):
    await asyncio.Event().wait()
