"""What is kept of every run: facts, figures and the report itself; nothing of a verdict depends on it.

A run leaves a record, a small file (:mod:`tinyhil.history.record`), which costs it a few milliseconds and no database.
The next command that reads the history takes the records into the database (:mod:`tinyhil.history.database`). So a
run is not delayed by a database that is locked, slow or away; and SQLAlchemy is imported by those who read.
"""
