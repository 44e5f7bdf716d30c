"""The back end of the web extension: settings, the task panel, estimates of charges."""
