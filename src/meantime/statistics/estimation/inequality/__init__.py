"""How far apart strata are: ``location_strata.py`` finds them; ``gaps.py``, ``ranges.py``, ``summaries.py`` measure."""
