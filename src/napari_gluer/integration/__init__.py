"""GLUER: joint factorisation, anchors, the deep map, the co-embedding, and what it imputes."""
