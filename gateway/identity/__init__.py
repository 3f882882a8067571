"""Who asks: signed tokens with their whole lineage, each link narrower than the one before."""
