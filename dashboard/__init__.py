"""The pages that look across apps: home and the frame around every page."""
