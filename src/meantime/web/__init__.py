"""The HTTP interface: Flask, the operations, pages and logs. Nothing below this room knows Flask."""
