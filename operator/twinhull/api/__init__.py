"""The API as frozen models: what is parsed here is what the CustomResourceDefinitions say."""
