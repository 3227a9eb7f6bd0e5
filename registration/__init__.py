"""Registration of sender numbers with the carrier: the steps, and who took them."""
