package cli

import "runtime/debug"

// versionCmd shows the version.
type versionCmd struct{}

// versionInfo is the answer; its JSON form is a promise to scripts.
type versionInfo struct {
	Version string `json:"version"`
	// Commit is what was built; empty where the build does not know.
	Commit string `json:"commit"`
	Go     string `json:"go"`
}

// Run needs no server.
func (*versionCmd) Run(e *env) error {
	info := version()
	return e.answer(info, func(t *table) { t.row("slipway " + info.Version + " (" + info.Go + ")") })
}

// version reads what the Go toolchain wrote into the binary: a release's tag,
// a pseudo-version between releases, or "(devel)".
func version() versionInfo {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return versionInfo{Version: "unknown"}
	}
	info := versionInfo{Version: build.Main.Version, Go: build.GoVersion}
	for _, setting := range build.Settings {
		if setting.Key == "vcs.revision" {
			info.Commit = setting.Value
		}
	}
	return info
}
