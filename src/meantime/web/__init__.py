"""The street door: HTTP, Flask, pages and the access log. Nothing below this room knows Flask."""
