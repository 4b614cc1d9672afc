"""Four-season campaigns (四季送): hook implementations only."""
