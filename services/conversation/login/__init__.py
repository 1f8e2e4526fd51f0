"""How people come in: by password, by their shop's word, by asking."""
