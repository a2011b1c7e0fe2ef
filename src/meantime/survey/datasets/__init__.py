"""The datasets that are served.

In this order: ``dataset_registry.py`` has them by name and version, ``dataset_reloader.py`` reads their sources again,
``drift.py`` says what has changed then.

No file is opened here, and nobody's right to reload is checked.
"""
