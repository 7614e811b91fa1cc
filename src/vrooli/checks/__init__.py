"""Can it be deployed? Each check looks at one thing that a release needs, and changes nothing."""
