"""One dock with all steps, each opening when the one before is done."""
