package journal

// Indexes is where the git remote keeps what chart indexes listed: one ref for each branch with an index. It points to
// a commit of that branch whose index lists charts. The branch can be deleted or replaced; the record stays.
const Indexes = "refs/chart-indexes/"

// IndexRef is where the record of the chart index on a branch is.
func IndexRef(branch string) string { return Indexes + branch }
