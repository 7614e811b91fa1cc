"""What several kinds of tests share; no tests of its own."""
