"""What the evidence shows of one component: databases, operators, Vault, add-ons. No I/O."""
