"""The Web API's methods by family; every family is a table of `Method` rows."""
