"""The datasets that are served: by name and version, read again, compared."""
