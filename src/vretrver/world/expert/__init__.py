"""The scripted expert of the drawn catalogue: it knows where the details are and shows how looking is done."""
