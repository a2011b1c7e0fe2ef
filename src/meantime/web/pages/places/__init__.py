"""The pages about places: all of them, one with its profile, and the rug of all by all questions.

``place_pages.py`` is read first. A profile's records become words and rows in ``profile_view.py``, and what is drawn in
a row gets its coordinates in ``row_marks.py`` and ``panels.py``; ``rug_page.py`` stands for itself. No number is made
here.
"""
