"""A headless browser, the page and the images that tests post."""
