"""The v1 surface, ``/api/v1/...``: jobs and what can be asked about, as resources.

``operations.py`` lists what there is; routes and the OpenAPI document are both made from that list. What a statistic
means is decided below, in ``statistics``; the contract's fixed endpoints are in ``web/routes.py``.
"""
