"""Tests of `meantime.survey.reading.files`."""
