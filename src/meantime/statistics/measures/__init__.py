"""The statistics themselves, one file each; the contract's nine are in ``contract.py``."""
