"""Evidence of healthy releases, and the assertions of rule tests."""
