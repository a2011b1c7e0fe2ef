"""A mapping file proposed for a table that nobody has described yet, or that can't be read as it stands.

In this order: ``examination.py`` is the errand, ``table_samples.py`` finds delimiter and header, ``column_facts.py``
counts over all rows what each column holds, ``column_words.py`` has the names that columns are given,
``column_guesses.py`` gives columns their roles, ``cell_keys.py`` adds what still tells rows apart, and
``mapping_proposal.py`` writes it all down.

All of it runs in a child process. Nothing here is ever served: a person reads and corrects it.
"""
