"""gunicorn's settings: libraries are imported once, before the fork, so that a server of four workers starts sooner.

The project and the package are still loaded by each worker, as without ``--preload``.
"""

import requests  # noqa: F401  # as all of these
