"""What tests of several suites use; no tests here."""
