"""The bundle: a diagnosis and its evidence in one archive, without secrets."""
