package sandbox

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
)

// Endpoints are the addresses of a running world. The JSON form is what
// sandbox.json holds.
type Endpoints struct {
	// AWS is the base URL of the ECS API, for AWS_ENDPOINT_URL.
	AWS string `json:"aws"`
	// Repository is what to clone.
	Repository string `json:"repository"`
	// HTTP is the controller's API and dashboard; the caller fills it in.
	HTTP string `json:"http"`
	// LoadBalancers are http:// and tcp:// URLs by "cluster/app".
	LoadBalancers map[string]string `json:"loadBalancers"`
	// Routing is what ECS needs to shift the traffic of an app behind a load
	// balancer, by "cluster/app".
	Routing map[string]Routing `json:"routing"`
}

// EndpointsFile is the name of the file in a world's folder that says where the
// world is. It is there while the world is up and ready.
const EndpointsFile = "sandbox.json"

// Endpoints returns where the world is, with HTTP empty.
func (w *World) Endpoints() Endpoints {
	e := w.endpoints
	e.LoadBalancers, e.Routing = maps.Clone(e.LoadBalancers), maps.Clone(e.Routing)
	return e
}

// WriteEndpoints writes e as JSON to the file path, whole or not at all. Once
// everything is up, write it to EndpointsFile in the world's folder; Close
// removes it there.
func WriteEndpoints(path string, e Endpoints) error {
	return writeJSON(path, e)
}

func writeJSON(path string, value any) error {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, append(content, '\n'))
}

// writeFile replaces a file in one step, so that nobody reads half of it.
func writeFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
