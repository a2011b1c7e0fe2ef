"""How far apart strata are, in the order of reading.

``location_strata.py`` finds them, ``shares.py`` says how much each counts. ``gaps.py`` has the largest difference,
``ranges.py``, ``chance.py`` and ``studentised_range.py`` how certain it is; ``summaries.py`` and
``summary_intervals.py`` the same of the other measures; ``disparities.py`` puts all together. ``scanned_gaps.py`` and
``scan_report.py`` are a scan's.
"""
