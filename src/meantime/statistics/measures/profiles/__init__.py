"""The statistic ``profile``: first ``profile.py``, then ``place_question.py``; ``records.py``; ``cautions.py``."""
