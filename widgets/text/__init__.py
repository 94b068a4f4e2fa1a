"""How things are said in a widget: foreign text made safe and cut to a width, states, amounts.

Every other room stands on this one.
"""
