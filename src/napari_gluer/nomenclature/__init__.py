"""Names of antigens and genes: what people write, and which gene it is."""
