"""From a path to a Dataset, in a child process or from the cache.

In this order: ``data_ingestor.py`` is the way in and the parent's side, ``errands.py`` what the child does,
``ingest.py`` how it reads a table into a cube. ``cube_file.py`` and ``cube_cache.py`` keep cubes. ``dataset.py``,
``provenance.py``, ``ingest_report.py`` and ``notes.py`` are what comes out; ``reading_notes.py`` and
``implausible.py`` find what is worth a note. ``single_estimates.py`` goes back to the
file for what no cell holds.

How a child is started and heard is in ``meantime.child``. Which dataset is served is not known here.
"""
