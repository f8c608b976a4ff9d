//go:build e2e

package aws

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-cd/slipway/e2e/terraform/tf"
)

// external has applications of one of the example's configurations read their image
// by the article's own data source, and returns the variable that it needs. The
// provider is a stand-in.
func (e *anExample) external(t *testing.T, root string) (variable string) {
	t.Helper()
	build(t)
	if err := os.CopyFS(filepath.Join(e.dir, root), os.DirFS("testdata/external")); err != nil {
		t.Fatal(err)
	}
	e.providers.Install(t, "hashicorp/external", "2.3.0", built.external)
	return "slipway=" + built.slipway
}

// answered is the image that an application's external data source gives now.
func answered(t *testing.T, root *tf.Root, app string) string {
	t.Helper()
	plan := filepath.Join(t.TempDir(), "plan")
	root.Run(t, "plan", "-target=data.external."+app, "-out="+plan)
	var planned struct {
		PriorState struct {
			Values struct {
				RootModule struct {
					Resources []struct {
						Address string
						Values  struct{ Result struct{ ImageURI string } }
					}
				} `json:"root_module"`
			}
		} `json:"prior_state"`
	}
	if err := json.Unmarshal([]byte(root.Run(t, "show", "-json", plan)), &planned); err != nil {
		t.Fatal(err)
	}
	for _, resource := range planned.PriorState.Values.RootModule.Resources {
		if resource.Address == "data.external."+app {
			return resource.Values.Result.ImageURI
		}
	}
	t.Fatalf("the plan tells of no data.external.%s: %+v", app, planned)
	return ""
}
