"""From a case to named causes with evidence: parsing, facts, correlation, and rules as data.  Pure."""
