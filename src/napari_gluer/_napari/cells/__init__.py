"""The parts of the Cells step."""
