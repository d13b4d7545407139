"""What a page says of the language that it is written in, which may not be that of its readers."""

#: Where a page's metadata have the tag of its language.
WRITTEN_IN = "polybook_written_in"
#: Marks what is in the readers' language all the same.
OWN_WORDS = "polybook-own-words"
