"""What a file's bytes are before they are a table.

In this order: ``contents.py`` says what they look like, ``packing.py`` unpacks them, ``text_layouts.py`` finds where in
a text the table lies, ``plain_text.py`` writes it anew where an engine couldn't read it as it is.

Columns, roles and numbers are not known here.
"""
