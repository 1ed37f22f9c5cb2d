"""A generator of invented annual reports with exact truth: for samples, tests and accuracy benchmarks.

It is written independently of ``extractors`` and imports nothing from it.
"""
