"""Plots of chosen genes and groups, markers of a selection, and the view as a figure."""
