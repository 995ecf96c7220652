"""The command `skyquilt`: one file per verb; each calls one step."""
