"""What the metadata of a page tell the Sphinx extension, by what name."""

#: The anchors of the page's sections, in order.
ANCHORS = "polybook_anchors"
#: The tag of the language that the page is written in, which may not be that of its readers.
WRITTEN_IN = "polybook_written_in"
#: The class of what is in the readers' language all the same.
OWN_WORDS = "polybook-own-words"
