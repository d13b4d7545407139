"""The work in order: reading a book, running it, writing what is made of it."""
