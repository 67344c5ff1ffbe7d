package pipeline

// RemoteRefs are what a git remote answered that it has, or why it was not asked. The plan takes them as an input, so
// it asks no remote itself.
type RemoteRefs struct {
	Name     string `json:"name,omitempty"` // in the clone's settings; empty where only the URL is known
	URL      string `json:"url,omitempty"`
	Listing  string `json:"listing,omitempty"`  // what git ls-remote prints
	NotAsked string `json:"notAsked,omitempty"` // why the remote was not asked; empty where it was
}
