"""From rows to a SurveyCube, and the cube as a file."""
