package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/slipway-cd/slipway"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// tidy makes the schemas tell what is really sent. Huma has no tag for a member
// that is always there, as an object or as null; and it adds its own model of
// an error, where ours is a problem.
func tidy(schemas huma.Registry) {
	for _, object := range []struct {
		of      reflect.Type
		members []string
	}{
		{typeOf[slipway.AppStatus](), []string{"revision", "running", "execution"}},
		{typeOf[slipway.HistoryEntry](), []string{"execution"}},
	} {
		properties := schemas.Schema(object.of, false, "").Properties
		for _, member := range object.members {
			properties[member] = &huma.Schema{AnyOf: []*huma.Schema{properties[member], {Type: "null"}}}
		}
	}
	delete(schemas.Map(), "ErrorModel")
}
