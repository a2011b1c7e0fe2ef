"""The server's description of itself, made from the list of operations: ``GET /``, ``/openapi.json``, ``/docs``."""
