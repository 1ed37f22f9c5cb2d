"""The outside: command line, Prefect, worker processes, store, exports, screen.

Nothing here knows what a report says: a decision about government reports belongs in ``extractors``.
"""
