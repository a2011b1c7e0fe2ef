"""Statistics of a survey cube: pure, without threads, clocks, files or logging.

``statistic.py`` says what a statistic is, ``catalogue.py`` has the one table of them, ``requests.py`` reads and stores
a request. Each statistic is one class in ``measures/``; what they share, from filters to intervals, is in
``estimation/``.
"""
