-- The version is SQLite's user_version from here on; a store at this version has a high-water mark beside it.
DROP TABLE IF EXISTS alembic_version;
