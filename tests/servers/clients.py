"""Clients of a server of several workers: one request after the other, many at a time, and until something holds."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from .faulty_server import FOREVER
from .real_servers import WORKERS

#: Seconds between a client's requests where it is not their number that counts.
PAUSE = 0.02


def statuses(answers):
    return Counter(answer.status for answer in answers)


def ask_at_once(running, tokens, threads=16):
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(running.get, tokens))


def until(condition):
    """Wait until something holds in another thread, or on the other side of a socket."""
    deadline = time.monotonic() + FOREVER
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def credentials_of(token):
    return token() if callable(token) else token


def until_all_workers(running, token, status):
    """Ask until each worker has answered so, and return their process ids.

    A token may be what makes one for each request.
    """
    seen = set()

    def ask():
        answer = running.get(credentials_of(token))
        if answer.status == status:
            seen.add(answer.pid)
        return len(seen) == WORKERS

    until(ask)
    return seen


class Load:
    """Requests that go on while the context lasts; `answers` holds what each was answered."""

    def __init__(self, running, *tokens):
        self.answers = {token: [] for token in tokens}
        self._running = running
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(len(tokens))

    def __enter__(self):
        self._threads = [self._pool.submit(self._go_on, token) for token in self.answers]
        return self

    def __exit__(self, *exc_info):
        self._over.set()
        self._pool.shutdown()
        for thread in self._threads:
            thread.result()

    def _go_on(self, token):
        # The pause leaves processors to the workers whose answers are looked at.
        while not self._over.wait(PAUSE):
            self.answers[token].append(self._running.get(credentials_of(token)))

    def until_more(self, number):
        """Wait until each token has been answered so many more times."""
        wanted = [len(answers) + number for answers in self.answers.values()]
        until(lambda: all(len(got) >= want for got, want in zip(self.answers.values(), wanted, strict=True)))
