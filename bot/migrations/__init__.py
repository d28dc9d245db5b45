"""How the tables of the records came to be: a step a file in `versions`, each run once, in order.

To change a table: change `bot/adapters/records_tables.py`, add the next step, and a test compares both.
A step is never edited after a release, and never loses a row.
"""
