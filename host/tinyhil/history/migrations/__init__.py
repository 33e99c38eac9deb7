"""How the tables came about, step by step: Alembic runs the files in ``versions``, each once for a database."""
