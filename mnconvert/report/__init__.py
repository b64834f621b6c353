"""Reports of conversions for people: a table of variants, the plan in words, one self-contained page. Writes no file."""
