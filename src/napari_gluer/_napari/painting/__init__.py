"""How cells are painted: colours, confidence, blending, sections, and what their widgets are."""
