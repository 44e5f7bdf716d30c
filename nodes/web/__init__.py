"""What this ComfyUI's own page asks for: settings, the task panel, estimates of charges."""
