"""The page `/_fsd/` of an embedded AWS; its link can be made without the extra `local`."""
