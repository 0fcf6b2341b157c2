"""Who is logged in by a session, for the tests of the user that stands in the place of that one."""

from asgiref.sync import iscoroutinefunction
from django.utils.decorators import sync_and_async_middleware

#: The middleware, as the setting MIDDLEWARE names it.
SESSION = f"{__name__}.session"


class Person:
    """A user of the project's."""

    is_authenticated = True

    def __init__(self, name):
        self.name = name

    def __str__(self):
        return self.name


@sync_and_async_middleware
def session(get_response):
    """Stand for Django's AuthenticationMiddleware."""

    async def auser():
        return Person("session user")

    def middleware(request):
        request.user, request.auser = Person("session user"), auser
        return get_response(request)

    async def async_middleware(request):
        return await middleware(request)

    return async_middleware if iscoroutinefunction(get_response) else middleware
