"""Reports as pages: one HTML file that needs nothing but itself, readable by people who open no terminal."""
