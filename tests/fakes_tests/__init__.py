"""The fakes' own tests: what stands in for Moonshot must not be kinder than Moonshot."""
