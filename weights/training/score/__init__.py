"""Reads off pictures what they show, and scores a model by it."""
