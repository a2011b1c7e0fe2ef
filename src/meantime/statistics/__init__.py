"""Pure functions from a survey cube to a result: no threads, clocks, files or logging.

``catalogue.py`` has the one table of statistics; start there.
"""
