"""What merchants write in forms: each field has the name that the API gives it, so that its answers find the field."""
