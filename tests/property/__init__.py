"""Properties and state machines."""
