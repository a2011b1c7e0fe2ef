"""Results in other forms than the stored JSON, as bytes; a file each, and ``result_formats.py`` lists them.

What a result holds is computed in ``statistics``. Which form a client gets is decided in ``web``: nothing here knows
HTTP.
"""
