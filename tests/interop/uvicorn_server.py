"""Uvicorn in a thread: the project as it runs in production, in the process of the test and its settings."""

import threading
from contextlib import contextmanager

import uvicorn


@contextmanager
def served(application, ws="none"):
    """Serve an ASGI application on a free port of loopback, and yield the origin of its URLs.

    ``ws`` is how WebSockets are served, "auto" by the package `websockets`.
    """
    config = uvicorn.Config(application, port=0, lifespan="off", ws=ws, log_config=None)
    server = uvicorn.Server(config)
    with config.bind_socket() as listener:
        listener.listen()  # from now on: a client may be faster than uvicorn, which does so again
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield "http://{}:{}".format(*listener.getsockname())
        finally:
            server.should_exit = True
            thread.join()
