"""Series of yearly estimates: first ``points.py``, then ``lines.py``, how they fit, ``panels.py``, what they lack."""
