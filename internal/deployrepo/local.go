package deployrepo

// Local reports whether the repository is a folder on this machine, so that
// looking at it costs next to nothing.
func (r *Repo) Local() bool { return r.local }
