"""A Pi's figures for Prometheus.

Everything here runs on the Pi too, where nothing but python3 is installed.
"""
