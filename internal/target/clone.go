package target

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/target/raw"
)

// The tags by which a task definition of ours is recognised.
const (
	tagPrefix    = "slipway:"
	tagExecution = tagPrefix + "execution"
	tagApp       = tagPrefix + "app"
	tagCommit    = tagPrefix + "commit"
)

// maxTags is how many tags a resource may have; those that AWS itself sets
// (prefix aws:) do not count. API reference, RegisterTaskDefinition, tags.
const maxTags = 50

// responseOnly lists the members of a described task definition that
// RegisterTaskDefinition does not take. It is a list of what to drop, never of
// what to keep, so that a member newer than our SDK survives: types.TaskDefinition
// less RegisterTaskDefinitionInput.
func responseOnly() []string {
	return []string{
		"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities",
		"registeredAt", "registeredBy", "deregisteredAt", "deleteRequestedAt",
	}
}

// members are a JSON object's, each with the very text that AWS sent.
type members = raw.Members

// definition is a task definition as it would be registered: raw JSON, without
// what only a response has. It is never changed in place.
type definition struct {
	fields     members // all but containerDefinitions and tags
	containers []members
	tags       []tag
}

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// parseDefinition reads the body that DescribeTaskDefinition answered. The tags
// stand beside the task definition there, and inside of it in an input; those
// with AWS's own prefix are left out, because nobody else may set them.
func parseDefinition(body []byte) (definition, error) {
	var answer, fields members
	var d definition
	if err := json.Unmarshal(body, &answer); err != nil {
		return definition{}, fmt.Errorf("ECS's description of a task definition is no JSON object: %w", err)
	}
	if err := json.Unmarshal(answer["taskDefinition"], &fields); err != nil {
		return definition{}, fmt.Errorf("ECS's answer describes no task definition: %w", err)
	}
	if err := json.Unmarshal(fields["containerDefinitions"], &d.containers); err != nil {
		return definition{}, fmt.Errorf("the task definition's containerDefinitions are no list of objects: %w", err)
	}
	if tags, found := answer["tags"]; found {
		if err := json.Unmarshal(tags, &d.tags); err != nil {
			return definition{}, fmt.Errorf("the task definition's tags are no list of tags: %w", err)
		}
	}
	d.tags = slices.DeleteFunc(d.tags, func(t tag) bool { return strings.HasPrefix(t.Key, "aws:") })
	d.fields = maps.Clone(fields)
	for _, name := range append(responseOnly(), "containerDefinitions", "tags") {
		delete(d.fields, name)
	}
	return d, nil
}

// images lists each container's image, in the task definition's order.
func (d definition) images() []slipway.Image {
	images := make([]slipway.Image, len(d.containers))
	for i, container := range d.containers {
		images[i] = slipway.Image{Container: text(container["name"]), URI: text(container["image"])}
	}
	return images
}

// withImages is d with the images of the named containers set, and what that
// changes. A container that d does not have is an error that lists the names
// there are.
func (d definition) withImages(images []slipway.Image) (definition, []slipway.FieldChange, error) {
	var changes []slipway.FieldChange
	d.containers = slices.Clone(d.containers)
	for _, image := range images {
		i := slices.IndexFunc(d.containers, func(c members) bool { return text(c["name"]) == image.Container })
		if i < 0 {
			return definition{}, nil, d.unknownContainer(image.Container)
		}
		from := text(d.containers[i]["image"])
		if from == image.URI {
			continue
		}
		uri, err := encode(image.URI)
		if err != nil {
			return definition{}, nil, err
		}
		d.containers[i] = maps.Clone(d.containers[i])
		d.containers[i]["image"] = uri
		changes = append(changes, slipway.FieldChange{
			Path: fmt.Sprintf("containerDefinitions[%s].image", image.Container), From: from, To: image.URI,
		})
	}
	return d, changes, nil
}

func (d definition) unknownContainer(name string) error {
	names := make([]string, len(d.containers))
	for i, image := range d.images() {
		names[i] = image.Container
	}
	return &slipway.Error{
		Next:    slipway.NextUsage,
		Message: fmt.Sprintf("the task definition %s has no container %q; it has %s", text(d.fields["family"]), name, strings.Join(names, ", ")),
		Hint:    "correct the name in revision.json, or add the container to the task definition that the service runs",
	}
}

// withTags is d with the given tags set. Where there is no room, what the owner
// of the task definition wrote stays and ours are left out, the last first.
func (d definition) withTags(tags ...tag) definition {
	mine := func(t tag) bool {
		return slices.ContainsFunc(tags, func(s tag) bool { return s.Key == t.Key })
	}
	d.tags = slices.DeleteFunc(slices.Clone(d.tags), mine)
	d.tags = append(d.tags, tags[:min(len(tags), max(0, maxTags-len(d.tags)))]...)
	return d
}

// taggedFor reports whether d was registered by an execution.
func (d definition) taggedFor(execution string) bool {
	return slices.Contains(d.tags, tag{Key: tagExecution, Value: execution})
}

// ours are the tags of what a deployment registers, the one that is needed most first.
func ours(d slipway.Deployment) []tag {
	return []tag{{tagExecution, d.Execution}, {tagApp, d.App.String()}, {tagCommit, d.Commit}}
}

// input is d as the body of RegisterTaskDefinition. ECS refuses an empty list of
// tags, so that it is left out.
func (d definition) input() ([]byte, error) {
	containers, err := encode(d.containers)
	if err != nil {
		return nil, err
	}
	fields := maps.Clone(d.fields)
	fields["containerDefinitions"] = containers
	if len(d.tags) > 0 {
		if fields["tags"], err = encode(d.tags); err != nil {
			return nil, err
		}
	}
	return encode(fields)
}

// same reports whether two definitions would run the same: all members equal,
// numbers by their text, tags in whatever order and without ours.
func same(a, b definition) bool {
	return reflect.DeepEqual(a.content(), b.content())
}

// content is d in plain Go values for comparison; nil when it is no JSON.
func (d definition) content() any {
	d.tags = slices.DeleteFunc(slices.Clone(d.tags), func(t tag) bool { return strings.HasPrefix(t.Key, tagPrefix) })
	slices.SortFunc(d.tags, func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
	body, err := d.input()
	if err != nil {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil
	}
	return value
}

// text is a JSON string's value; empty for anything else.
func text(value json.RawMessage) string { return raw.Text(value) }

// encode writes JSON and leaves the raw parts as they are; see raw.Encode.
func encode(value any) (json.RawMessage, error) { return raw.Encode(value) }
