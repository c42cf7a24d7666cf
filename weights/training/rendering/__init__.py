"""The procedural renderer: pictures of materials, objects and landscapes with captions. numpy and Pillow only."""
