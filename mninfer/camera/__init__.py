"""A camera or a video, frame by frame, through a model, onto a screen, into a file or a web page."""
