"""Reading a table in a child process: ``data_ingestor.py`` is the way in."""
