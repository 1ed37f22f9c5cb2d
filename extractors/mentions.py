def role_of(text,start,end,others): return None
def kind_of(channel): return 'other'
