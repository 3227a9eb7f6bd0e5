"""Pages that look across apps, and the switches of the frame."""
