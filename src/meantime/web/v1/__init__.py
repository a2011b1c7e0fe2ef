"""The v1 surface, ``/api/v1/...``: jobs, results and what can be asked about, as resources.

A view and what the OpenAPI document says about it stand together; the types of answers stand in the modules of
documents. What a statistic means is decided below, in ``statistics``; the contract's endpoints are in ``web/contract``.
"""
