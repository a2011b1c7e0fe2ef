"""One module a kind of chart: a function from an answer and a theme to a `Drawing`.

Whether a kind fits an answer is in ``chart_kinds.py``, so each may rely on the fields that it needs. ``marks.py`` has
what several of them draw alike, ``wording.py`` what they say alike.
"""
