"""The project's own test suites, and the tests of a release."""
