"""Tests of `meantime.survey.reading.forms`."""
