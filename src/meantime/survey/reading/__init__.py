"""From a file to rows whose columns have roles: sources, columns, mappings, engines."""
