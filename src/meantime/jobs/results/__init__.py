"""Results as files and in memory, and how long they are kept."""
