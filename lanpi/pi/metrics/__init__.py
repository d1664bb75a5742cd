"""A Pi's figures for Prometheus."""
