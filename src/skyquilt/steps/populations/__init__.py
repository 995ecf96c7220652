"""Steps of the section `populations`: which events come from which population."""
