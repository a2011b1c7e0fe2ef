"""Comparisons: ``matching.py`` finds what both sides have, ``contrasts.py`` tests it, ``verdicts.py`` says it in words.

``multiplicity.py`` adjusts for several tests in one answer, ``joint_ranks.py`` is about places in an order.
"""
