"""The API as frozen models, from which the CustomResourceDefinitions are made."""
