"""TCP connections that granian owns, reached through the kernel: slow bodies, unread answers, a listener that closes.

``slow_bodies.py`` cuts off clients that don't get done with a request's body; ``unanswered_connections.py`` tells it
whose connections those are. ``unread_answers.py`` cuts off clients that don't take their answers, ``crowds.py`` those
with too many connections. ``sockets.py`` finds connections, and lets the server end without a reset.
``docs/connections.md`` says what happens without them. All of it is for Linux; elsewhere nothing is done. No request
is answered here.
"""
