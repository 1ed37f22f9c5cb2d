"""``gongkai review``: a local web application in which a person looks at what is doubtful and decides."""
