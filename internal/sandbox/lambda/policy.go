package lambda

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// statement is one of a function's policy, which says who may invoke it. It is
// kept, and nobody is refused for it.
type statement struct {
	Sid       string
	Effect    string
	Principal any
	Action    string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

func errPrecondition() error {
	return &awsjson.Error{
		Code: "PreconditionFailedException", Status: http.StatusPreconditionFailed,
		Message: "The RevisionId provided does not match the latest RevisionId. Call the GetFunction or the GetAlias API to retrieve the latest RevisionId",
	}
}

func (a api) AddPermission(_ context.Context, in *lambda.AddPermissionInput) (*lambda.AddPermissionOutput, error) {
	return change(a.Service, func() (*lambda.AddPermissionOutput, error) {
		f, v, err := a.find(in.FunctionName, in.Qualifier)
		if err != nil {
			return nil, err
		}
		st := statement{
			Sid: aws.ToString(in.StatementId), Effect: "Allow", Principal: principal(aws.ToString(in.Principal)),
			Action: aws.ToString(in.Action), Resource: *v.shown(v.Settled, in.Qualifier != nil).FunctionArn,
		}
		switch {
		case in.RevisionId != nil && *in.RevisionId != f.PolicyID:
			return nil, errPrecondition()
		case !sidShape.MatchString(st.Sid):
			return nil, errValidation("Value '%s' at 'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)", st.Sid)
		case slices.ContainsFunc(f.Policy, func(other statement) bool { return other.Sid == st.Sid }):
			return nil, errConflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", st.Sid)
		}
		for _, condition := range []struct {
			operator, key string
			value         *string
		}{
			{"ArnLike", "AWS:SourceArn", in.SourceArn}, {"StringEquals", "AWS:SourceAccount", in.SourceAccount},
			{"StringEquals", "lambda:EventSourceToken", in.EventSourceToken}, {"StringEquals", "aws:PrincipalOrgID", in.PrincipalOrgID},
		} {
			if condition.value == nil {
				continue
			}
			if st.Condition == nil {
				st.Condition = map[string]map[string]string{}
			}
			if st.Condition[condition.operator] == nil {
				st.Condition[condition.operator] = map[string]string{}
			}
			st.Condition[condition.operator][condition.key] = *condition.value
		}
		f.Policy, f.PolicyID = append(f.Policy, st), uuid.NewString()
		document, err := json.Marshal(st)
		return &lambda.AddPermissionOutput{Statement: aws.String(string(document))}, err
	})
}

var sidShape = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,100}$`)

// principal is whom a permission is for, as policies write it: a service, an
// account, a role or everybody.
func principal(name string) any {
	switch {
	case name == "*":
		return name
	case strings.HasSuffix(name, ".amazonaws.com"):
		return map[string]string{"Service": name}
	case len(name) == 12 && strings.Trim(name, "0123456789") == "":
		return map[string]string{"AWS": "arn:aws:iam::" + name + ":root"}
	default:
		return map[string]string{"AWS": name}
	}
}

func (a api) GetPolicy(_ context.Context, in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, v, err := a.find(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	resource := *v.shown(v.Settled, in.Qualifier != nil).FunctionArn
	found := slices.DeleteFunc(slices.Clone(f.Policy), func(st statement) bool { return st.Resource != resource })
	if len(found) == 0 {
		return nil, errNotFound("The resource you requested does not exist.")
	}
	document, err := json.Marshal(struct {
		Version, Id string
		Statement   []statement
	}{"2012-10-17", "default", found})
	return &lambda.GetPolicyOutput{Policy: aws.String(string(document)), RevisionId: aws.String(f.PolicyID)}, err
}

func (a api) RemovePermission(_ context.Context, in *lambda.RemovePermissionInput) (*lambda.RemovePermissionOutput, error) {
	return change(a.Service, func() (*lambda.RemovePermissionOutput, error) {
		f, _, err := a.find(in.FunctionName, in.Qualifier)
		if err != nil {
			return nil, err
		}
		if in.RevisionId != nil && *in.RevisionId != f.PolicyID {
			return nil, errPrecondition()
		}
		i := slices.IndexFunc(f.Policy, func(st statement) bool { return st.Sid == aws.ToString(in.StatementId) })
		if i < 0 {
			return nil, errNotFound("Statement %s is not found in resource policy.", aws.ToString(in.StatementId))
		}
		f.Policy, f.PolicyID = slices.Delete(slices.Clone(f.Policy), i, i+1), uuid.NewString()
		return &lambda.RemovePermissionOutput{}, nil
	})
}
