"""From a file to rows whose columns have roles.

In this order: ``sources.py`` opens the file, ``csv_text.py`` and ``table_rows.py`` make rows of its bytes
(``files/``), ``columns.py`` finds which columns play which role (``recipes.py``: a text made of several),
``profile.py`` says how names are read, ``mapping.py`` reads what a person states of both, ``layouts.py`` what is known
of other publishers' tables, ``estimate_rows.py`` makes estimates of the rows with an engine (``engines/``), whatever
way numbers are written (``forms/``), ``table_reader.py`` puts these together, and ``opened_tables.py`` opens a path
with all of it. ``csv_rows.py`` and
``row_faults.py`` look row by row, to name what can't be read. ``proposal/`` is for tables that
nobody has described yet.

Nothing here adds rows up or knows a cube.
"""
