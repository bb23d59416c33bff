"""Cells chosen on the tissue or in the embedding, and the selections that have names."""
