"""Who a campaign is for, and who is left out with which reason."""
