"""What the two faces of an editor share: the conversation on the wire, places as URIs, Markdown. Nothing loads here."""
