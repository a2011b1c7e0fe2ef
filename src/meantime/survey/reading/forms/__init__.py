"""How people write numbers and years.

``number_forms.py`` and ``year_forms.py`` say what a text means, in Python and for an engine alike, and
``written_forms.py`` holds both for one table. ``wide_years.py`` tells which columns are years, ``number_texts.py`` asks
an engine for what a table's number columns hold, ``grouped_points.py`` whether points may group thousands in what it
has read, and ``unread_texts.py`` words what is left.
Texts that the engine reads by itself never come here.
"""
