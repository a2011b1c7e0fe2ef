"""The contract, ``/api/...``: nine statistics, their results, lists, the shutdown; and the probes beside them.

What a statistic means is decided in ``statistics``; the v1 surface is in ``web/v1``.
"""
