package awsjson

import (
	"path"
	"reflect"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// member is a field of an SDK struct that goes over the wire.
type member struct {
	index int
	name  string // on the wire
}

// known are the members of the structs that were asked for, by reflect.Type: a
// cache, as they are the same for ever.
var known sync.Map

// members are the members of a struct, in its order.
func members(structure reflect.Type) []member {
	if found, ok := known.Load(structure); ok {
		return found.([]member)
	}
	var found []member
	for i := range structure.NumField() {
		if f := structure.Field(i); f.IsExported() && f.Name != "ResultMetadata" {
			found = append(found, member{i, memberName(structure, f)})
		}
	}
	known.Store(structure, found)
	return found
}

// memberName is a field's name on the wire: as the SDK spells it in the
// services that pascal names, and with its first letter in lower case in all
// others, but for the members that their models spell otherwise.
func memberName(structure reflect.Type, f reflect.StructField) string {
	if pascal(structure) != otherwise(structure, f) {
		return f.Name
	}
	first, size := utf8.DecodeRuneInString(f.Name)
	return string(unicode.ToLower(first)) + f.Name[size:]
}

// pascal says whether a structure's members begin with capitals: those of
// EventBridge, its Scheduler, CloudWatch and Lambda do, but for a few that were taken
// over from ECS; of CodeDeploy's those of tags do.
func pascal(structure reflect.Type) bool {
	switch path.Base(strings.TrimSuffix(structure.PkgPath(), "/types")) {
	case "eventbridge", "events", "scheduler", "cloudwatch", "sqs", "lambda":
	case "codedeploy":
		switch structure.Name() {
		case "Tag", "TagResourceInput", "UntagResourceInput", "ListTagsForResourceInput", "ListTagsForResourceOutput":
			return true
		}
		return false
	default:
		return false
	}
	switch structure.Name() {
	case "NetworkConfiguration", "CapacityProviderStrategyItem", "PlacementConstraint", "PlacementStrategy":
		return false
	}
	return true
}

// otherwise says whether a member is not spelt as the others of its service are.
func otherwise(structure reflect.Type, f reflect.StructField) bool {
	switch structure.Name() + "." + f.Name {
	case "GetDifferencesInput.MaxResults", "GetDifferencesInput.NextToken", "GetDifferencesOutput.NextToken", "RepositoryMetadata.Arn": // CodeCommit
		return true
	case "CreateQueueInput.Tags", "ListDeadLetterSourceQueuesOutput.QueueUrls": // SQS
		return true
	}
	return false
}

// Reads says whether an operation changes nothing, judged by its name.
func Reads(operation string) bool {
	for _, verb := range []string{"Describe", "List", "Get", "BatchGet", "Filter"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}
