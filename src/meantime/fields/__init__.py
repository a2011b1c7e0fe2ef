"""What values may be: kinds, fields and the words for a refusal. Settings, requests and mapping files all use it.

Plain dataclasses with ``Annotated`` fields, not pydantic: that takes 0.1 to 0.3 s to import, before the ingest can
start, and checks against a cube, nearest names and JSON Schemas would be ours all the same.
"""
