"""Arguments of the wrong kind are refused by name, before training; objects say what they are."""



