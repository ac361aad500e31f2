"""How a fictional province is made: relief, places, schools, networks, reports."""
