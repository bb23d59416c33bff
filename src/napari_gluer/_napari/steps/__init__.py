"""The steps under Plugins ▸ GLUER, each a thin widget."""
