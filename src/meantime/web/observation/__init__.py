"""What is noted about requests and jobs: ``webserver.log``, the event log, the metrics. Nothing is decided here."""
