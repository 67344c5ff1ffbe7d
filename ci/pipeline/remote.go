package pipeline

// RemoteRefs are the refs that a git remote listed, or the reason why it was not asked. They are an input of the plan:
// the plan asks no remote itself.
type RemoteRefs struct {
	Name     string `json:"name,omitempty"` // in the clone's settings; empty where only the URL is known
	URL      string `json:"url,omitempty"`
	Listing  string `json:"listing,omitempty"`  // what git ls-remote prints
	NotAsked string `json:"notAsked,omitempty"` // why the remote was not asked; empty where it was
}
