"""The tests. A package, so that they can share `tests.cubes` and `tests.reference`; nothing in src imports it."""
