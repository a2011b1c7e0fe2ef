"""From a path to a Dataset, in a child process or from the cache.

In this order: ``data_ingestor.py`` is the way in and the parent's side, ``errands.py`` what the child does,
``ingest.py`` how it reads a table into a cube. ``cell_guard.py`` sees to it that a cell is one estimate, with
``cell_choices.py`` (what a person can choose where it isn't), ``row_places.py`` (its lines) and ``name_attributes.py``
(units, types of values and codes, one for each name). ``cube_file.py`` and ``cube_cache.py`` keep cubes.
``dataset.py``, ``provenance.py``, ``ingest_report.py`` and ``notes.py`` are what comes out; ``reading_notes.py`` and
``implausible.py`` find what is worth a note. ``single_estimates.py`` goes back to the
file for what no cell holds.

How a child is started and heard is in ``meantime.child``. Which dataset is served is not known here.
"""
