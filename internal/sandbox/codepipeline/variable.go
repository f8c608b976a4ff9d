package codepipeline

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// reference is a variable in a configuration: #{namespace.Name}.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
var reference = regexp.MustCompile(`#\{([A-Za-z0-9@\-_]+)\.([A-Za-z0-9@\-_]+)\}`)

// resolve replaces the variables in a configuration. The error names one that
// nobody has set, in words of ours.
func (e *execution) resolve(p *pipeline, configuration map[string]string) (map[string]string, error) {
	resolved := map[string]string{}
	for key, value := range configuration {
		var missing string
		resolved[key] = reference.ReplaceAllStringFunc(value, func(variable string) string {
			parts := reference.FindStringSubmatch(variable)
			found, ok := e.variable(p, parts[1], parts[2])
			if !ok {
				missing = variable
			}
			return found
		})
		if missing != "" {
			return nil, fmt.Errorf("the variable %s in the configuration %s cannot be resolved", missing, key)
		}
	}
	return resolved, nil
}

// variable finds a variable: CodePipeline's own, the pipeline's, or what an action
// has put out.
func (e *execution) variable(p *pipeline, namespace, name string) (string, bool) {
	switch namespace {
	case "codepipeline":
		switch name {
		case "PipelineExecutionId":
			return e.ID, true
		case "PipelineName":
			return *p.Declaration.Name, true
		}
		return "", false
	case "variables":
		value, found := e.Variables[name]
		return value, found
	}
	value, found := e.Outputs[namespace][name]
	return value, found
}

// minutes reads a number of minutes; 0 if it is none.
func minutes(text string) time.Duration {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1 {
		return 0
	}
	return time.Duration(n) * time.Minute
}

// isApproval says whether an action is a manual approval.
func isApproval(a *types.ActionDeclaration) bool {
	return a.ActionTypeId != nil && a.ActionTypeId.Category == types.ActionCategoryApproval
}
