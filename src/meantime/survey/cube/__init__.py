"""From rows to a SurveyCube.

In this order: ``survey_cube.py`` is what all statistics compute on, ``rollup.py`` adds rows up to cells, in any engine,
``cell_names.py`` names their places, ``cube_builder.py`` makes a cube of them, ``cube_version.py`` names it.

No file is read or written here. The serving process imports ``survey_cube.py`` and ``cube_version.py`` only.
"""
