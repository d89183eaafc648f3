"""The sections of the page, each a function of the report and of where it is shown."""
