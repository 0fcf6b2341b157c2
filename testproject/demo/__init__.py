"""The demo: both servers on loopback, a tour of requests, and curl lines to go on with."""
