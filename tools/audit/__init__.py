"""`make audit`: what is known against what the operator and the guest are made of."""
