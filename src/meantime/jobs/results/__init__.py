"""Results as files and in memory."""
