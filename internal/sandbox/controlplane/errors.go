package controlplane

import (
	"fmt"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// The errors, in ECS's own words where they are known.
func errClient(format string, args ...any) error {
	return &awsjson.Error{Code: "ClientException", Message: fmt.Sprintf(format, args...)}
}

func errParameter(format string, args ...any) error {
	return &awsjson.Error{Code: "InvalidParameterException", Message: fmt.Sprintf(format, args...)}
}

func errUnsupported(format string, args ...any) error {
	return &awsjson.Error{Code: "UnsupportedFeatureException", Message: fmt.Sprintf(format, args...)}
}

func errCoded(code, message string) error {
	return &awsjson.Error{Code: code, Message: message}
}

func errClusterNotFound() error {
	return errCoded("ClusterNotFoundException", "Cluster not found.")
}

func errServiceNotFound() error {
	return errCoded("ServiceNotFoundException", "Service not found.")
}

func errServiceNotActive() error {
	return errCoded("ServiceNotActiveException", "Service was not ACTIVE.")
}
