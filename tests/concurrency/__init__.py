"""The pool under many threads."""
