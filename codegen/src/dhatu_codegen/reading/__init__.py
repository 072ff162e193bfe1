"""Documents from files and addresses, as values that remember where they were written."""
