"""Series of yearly estimates, in the order of reading.

``points.py`` forms them, ``lines.py`` tells how they fit a line, ``joinpoints.py`` and ``segments.py`` where they
bend, ``panels.py`` what they lack; ``line_columns.py`` has the columns and ``trends.py`` all that a trend says.
"""
