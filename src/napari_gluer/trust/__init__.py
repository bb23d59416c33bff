"""How far a result may be trusted: confidence, held-out genes, intervals, null run, report."""
