"""Comparisons: ``matching.py`` finds what all sides have, ``contrasts.py`` tests it, ``verdicts.py`` says it in words.

``pairs.py`` sets many beside one, ``sides.py`` one thing beside another; ``multiplicity.py`` adjusts for several tests
in one answer, ``joint_ranks.py`` is about places in an order.
"""
