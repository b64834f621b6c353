"""Pictures of results: records become a picture as data, which is painted as SVG or PNG, and the report page."""
