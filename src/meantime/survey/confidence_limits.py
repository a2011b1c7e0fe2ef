"""How the limits of a published estimate are read: as those of a two-sided 95 % interval of a normal distribution."""

from __future__ import annotations

Z_95 = 1.959964
"""The normal quantile for a two-sided 95 % interval, as CDC's limits are read (low, high = value -+ Z_95 SE)."""
