"""polybook: textbooks in many languages and frameworks, each code run once."""
