"""Reads one annual report (政府信息公开工作年度报告) from a file and returns its record.

Nothing in this package imports an orchestrator, opens the network or touches a store.
"""
