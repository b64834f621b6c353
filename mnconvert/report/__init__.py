"""Reports of conversions for people: a table of variants, the plan in words, one page. Writes no file."""
