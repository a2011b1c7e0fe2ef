"""The processes of a server: a main process that takes signals, and a worker that serves. Commands are in ``cli``.

In the order in which a server meets them: ``claims.py`` (address and state directory), ``granian_server.py``,
``server_process.py``, ``serving_worker.py``, ``control_socket.py``, ``worker_pipe.py``. No thread here ends silently:
whatever it meets is logged, and it goes on.
"""
