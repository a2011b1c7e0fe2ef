"""What every request passes before its route sees it; ``checks.py`` has the order. Nothing is answered here."""
