"""gunicorn's settings: one worker, as the load comes from the same machine."""

worker_class = "gthread"
workers = 1
threads = 4
keepalive = 600
loglevel = "error"
# Not known to all versions, which pass it over here, but would not on the command line.
control_socket_disable = True
