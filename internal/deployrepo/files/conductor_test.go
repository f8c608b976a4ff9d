package files

import (
	"testing"

	"github.com/slipway-cd/slipway"
)

func TestEditConductor(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		"no file":       {"", "conductor: codepipeline\n"},
		"another":       {"# ours\nconductor: builtin # yet\ndefaults: {mode: queued}\n", "# ours\nconductor: codepipeline\ndefaults: {mode: queued}\n"},
		"none said":     {"# ours\nclusters:\n  a: {region: ca-central-1}\n", "conductor: codepipeline\n# ours\nclusters:\n  a: {region: ca-central-1}\n"},
		"one cluster's": {"clusters:\n  a:\n    conductor: builtin\n", "conductor: codepipeline\nclusters:\n  a:\n    conductor: builtin\n"},
	} {
		got, err := EditConductor("slipway.yaml", []byte(tc.text), slipway.ConductorCodePipeline)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, tc.want)
		}
	}
	for name, text := range map[string]string{"in brackets": "{defaults: {mode: queued}}\n", "broken": "conducter: builtin\n"} {
		if got, err := EditConductor("slipway.yaml", []byte(text), slipway.ConductorCodePipeline); err == nil {
			t.Errorf("%s: %q and no error", name, got)
		}
	}
	back, err := EditConductor("slipway.yaml", []byte("conductor: codepipeline\n"), slipway.ConductorBuiltin)
	if err != nil || string(back) != "conductor: builtin\n" {
		t.Errorf("back: %q, %v", back, err)
	}
}
