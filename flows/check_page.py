def render_page(checked):
    return ""
