"""``manage.py demo``: the whole package at work, over real HTTP on loopback."""

from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import requests
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_oauth_jwt.conf import get_settings
from testproject.authorization_server import AuthorizationServer
from testproject.demo import table
from testproject.demo.bound_tour import bound_stops
from testproject.demo.curl import curl_lines
from testproject.demo.mcp_tour import IS_INSTALLED, LEFT_OUT, mcp_stops
from testproject.demo.ninja_tour import ninja_stops
from testproject.demo.opaque_tour import opaque_stops
from testproject.demo.servers import ApiServer, direct_session, mcp_resource, page_resource, running, show_log
from testproject.demo.tour import Stop, stops, visit
from testproject.loopback import interrupt_when_stopped, wait_until_interrupted

_LAST_PORT = 65534  # the next one is needed as well


class Command(BaseCommand):
    """Starts both servers, takes the tour, and goes on serving until Ctrl-C."""

    help = "Show requests with and without good tokens and their answers, then serve until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--once", action="store_true", help="end after the tour; exit 1 for a wrong answer")
        parser.add_argument(
            "--port",
            type=_port,
            default=8000,
            help="of the API, the authorization server has the next one; default: %(default)s, 0 is any free one",
        )

    def handle(self, *args: Any, once: bool, port: int, **options: Any) -> None:
        """Do all that; CommandError, hence exit 1, where a tour without a sequel had a wrong answer."""
        if not once:
            interrupt_when_stopped()
        try:
            with running(port, self._note) as (server, api):
                self.stdout.write(f"API at {api.origin}, authorization server at {server.origin}")
                self.stdout.write(
                    "Below each refusal stands its challenge (WWW-Authenticate). On the right: how often the"
                )
                self.stdout.write(
                    "authorization server was asked for its keys (JWKS) and about a token (Introspect).\n\n"
                )
                summary, is_good = self._tour(server, api)
                self._show_commands(server)
                if not once:
                    with page_resource(api.origin):
                        self._serve(server, api)
        except KeyboardInterrupt:
            self.stdout.write("\nStopped.")
            return
        if once and not is_good:
            raise CommandError(summary)

    def _tour(self, server: AuthorizationServer, api: ApiServer) -> tuple[str, bool]:
        self.stdout.write(table.HEADING, self.style.MIGRATE_HEADING)
        with direct_session() as session:

            def rotate() -> None:
                session.post(f"{server.origin}/rotate", timeout=30).raise_for_status()

            def revoke(token: str) -> None:
                session.post(f"{server.origin}/revoke", data={"token": token}, timeout=30).raise_for_status()

            def show_all(stops: Iterable[Stop | str]) -> list[bool]:
                return [result for stop in stops for result in self._show(stop, server, api, session)]

            results = show_all(stops(server, rotate)) + show_all(opaque_stops(server, revoke))
            results += show_all(bound_stops(server, api.origin)) + show_all(ninja_stops(server))
            if IS_INSTALLED:
                with mcp_resource(api.origin):
                    results += show_all(mcp_stops(server, api.origin))
            else:
                show_all([LEFT_OUT])
        summary = f"{sum(results)} of {len(results)} answers are as expected."
        self.stdout.write(f"\n{summary}", self.style.SUCCESS if all(results) else self.style.ERROR)
        return summary, all(results)

    def _show(
        self, stop: Stop | str, server: AuthorizationServer, api: ApiServer, session: requests.Session
    ) -> Iterator[bool]:
        """Show a heading, or a request with its answer; then yield whether that is the right one."""
        if isinstance(stop, str):
            self.stdout.write(f"\n{stop}", self.style.MIGRATE_LABEL)
            return
        got = visit(stop, api.origin, server, session)
        is_right = got == stop.expected
        first, *more = table.row(stop, got)
        self.stdout.write(first, self.style.SUCCESS if is_right else self.style.ERROR)
        for line in more:
            self.stdout.write(line)
        yield is_right

    def _show_commands(self, server: AuthorizationServer) -> None:
        """Show what helps where a token is refused and nobody knows why."""
        bad_token = server.issuer.token("read", expired=True, forged=True, sub=3)
        for name, arguments, shown in (
            ("oauth_jwks", (), ""),
            ("explain_token", (bad_token,), " ... (a token with three faults)"),
        ):
            self.stdout.write(f"\n\npython manage.py {name}{shown}", self.style.MIGRATE_LABEL)
            with suppress(SystemExit):  # how a command says that something is wrong
                call_command(name, *arguments, stdout=self.stdout)

    def _serve(self, server: AuthorizationServer, api: ApiServer) -> None:
        self.stdout.write(f"\nOpen {api.origin}/ in a browser, or paste into a shell (the tokens last an hour):\n\n")
        for line in curl_lines(server, api.origin):
            self.stdout.write(line)
        wait = get_settings().jwks_cooldown_seconds
        self.stdout.write(
            f"\nUnknown keys are looked for every {wait:g} seconds at most: a rotation may show after that."
        )
        self.stdout.write("Serving; each request is logged below. Ctrl-C ends it.")
        self.stdout.flush()
        show_log()
        wait_until_interrupted()

    def _note(self, message: str) -> None:
        self.stdout.write(message, self.style.NOTICE)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise ArgumentTypeError(f"{text!r} is not a number from 0 to {_LAST_PORT}")
    return int(text)
