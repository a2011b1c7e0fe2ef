"""One file a revision; each leads from the one named in it."""
