//go:build e2e

package aws

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/slipway-cd/slipway/e2e/aws/policy"
	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// made are the calls that were made with the credentials of roles, each once.
type made struct {
	mu    sync.Mutex
	calls map[string]trail.Call
}

// note is told of a call.
func (m *made) note(call trail.Call) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls == nil {
		m.calls = map[string]trail.Call{}
	}
	m.calls[fmt.Sprintln(call.Role, call.Service, call.Operation, string(call.Request))] = call
}

// forget begins anew.
func (m *made) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = nil
}

// byRole are the calls of each role, by the role's name.
func (m *made) byRole() map[string][]trail.Call {
	m.mu.Lock()
	defer m.mu.Unlock()
	calls := map[string][]trail.Call{}
	for _, call := range m.calls {
		role := path.Base(call.Role)
		calls[role] = append(calls[role], call)
	}
	return calls
}

// runsNow has a rule run its target, whatever its schedule, which is then as it was.
func (a *anAccount) runsNow(t *testing.T, rule, role string) {
	t.Helper()
	client := eventbridge.NewFromConfig(a.aws)
	was, err := client.DescribeRule(t.Context(), &eventbridge.DescribeRuleInput{Name: &rule})
	if err != nil {
		t.Fatal(err)
	}
	put := func(schedule *string) {
		t.Helper()
		if _, err := client.PutRule(t.Context(), &eventbridge.PutRuleInput{
			Name: &rule, Description: was.Description, ScheduleExpression: schedule, State: was.State,
		}); err != nil {
			t.Fatal(err)
		}
	}
	put(aws.String("rate(1 minute)"))
	eventually(t, rule+" runs a task", func() (bool, error) { return len(a.made.byRole()[role]) > 0, nil })
	put(was.ScheduleExpression)
}

// permitted fails where a role has called what its policies would not have allowed,
// and logs what they allow and was not called. These are the roles that must have
// called something, by name; others may have.
func (a *anAccount) permitted(t *testing.T, roles ...string) {
	t.Helper()
	has, calls := a.policies(t), a.made.byRole()
	has[path.Base(person)] = documented(t)
	for _, role := range roles {
		if len(calls[role]) == 0 {
			t.Errorf("the role %s has called nothing", role)
		}
	}
	asked := policy.Account{Region: a.region, ID: account, TaskRoles: a.taskRoles(t), DeploymentGroup: a.deploymentGroup(t)}
	for role, calls := range calls {
		used, refused := map[string]bool{}, map[string]bool{}
		for _, call := range calls {
			requests, err := asked.Requests(call)
			if err != nil {
				refused[err.Error()] = true
			}
			for _, request := range requests {
				if grant, ok := granted(has[role], request); ok {
					used[grant] = true
				} else {
					refused[request.String()] = true
				}
			}
		}
		for _, request := range slices.Sorted(maps.Keys(refused)) {
			t.Errorf("the role %s would not have been allowed: %s", role, request)
		}
		t.Logf("the role %s made %d calls; allowed and never used: %s", role, len(calls), strings.Join(unused(has[role], used), ", "))
	}
}

// granted is what allows a request, of policies by their names.
func granted(policies map[string]policy.Document, request policy.Request) (grant string, ok bool) {
	for name, document := range policies {
		if statement, action, ok := document.Allows(request); ok {
			return grantOf(name, document.Statement[statement], action), true
		}
	}
	return "", false
}

func grantOf(name string, statement policy.Statement, action int) string {
	return name + "/" + statement.Sid + "/" + statement.Action[action]
}

// unused is what was allowed and not used.
func unused(policies map[string]policy.Document, used map[string]bool) (grants []string) {
	for name, document := range policies {
		for _, statement := range document.Statement {
			for action := range statement.Action {
				if grant := grantOf(name, statement, action); !used[grant] {
					grants = append(grants, grant)
				}
			}
		}
	}
	slices.Sort(grants)
	return grants
}

// policies are those that Terraform gave to the roles, by role and by name.
func (a *anAccount) policies(t *testing.T) map[string]map[string]policy.Document {
	t.Helper()
	var details struct {
		RoleDetailList []struct {
			RoleName       string
			RolePolicyList []struct {
				PolicyName     string
				PolicyDocument json.RawMessage
			}
		}
	}
	out := a.run(t, t.TempDir(), "aws", "--endpoint-url", a.moto, "--output", "json", "iam", "get-account-authorization-details", "--filter", "Role")
	if err := json.Unmarshal([]byte(out), &details); err != nil {
		t.Fatal(err)
	}
	has := map[string]map[string]policy.Document{}
	for _, role := range details.RoleDetailList {
		has[role.RoleName] = map[string]policy.Document{}
		for _, inline := range role.RolePolicyList {
			document, err := policy.Parse(inline.PolicyDocument)
			if err != nil {
				t.Errorf("the policy %s of the role %s: %v", inline.PolicyName, role.RoleName, err)
			}
			has[role.RoleName][inline.PolicyName] = document
		}
	}
	return has
}

// taskRoles asks ECS which roles a task definition has, once.
func (a *anAccount) taskRoles(t *testing.T) func(string) ([]string, error) {
	known := map[string]*types.TaskDefinition{}
	return func(definition string) ([]string, error) {
		if known[definition] == nil {
			out, err := ecs.NewFromConfig(a.aws).DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: &definition})
			if err != nil {
				return nil, err
			}
			known[definition] = out.TaskDefinition
		}
		return []string{aws.ToString(known[definition].TaskRoleArn), aws.ToString(known[definition].ExecutionRoleArn)}, nil
	}
}

// deploymentGroup asks CodeDeploy whose a deployment is, once.
func (a *anAccount) deploymentGroup(t *testing.T) func(string) (string, error) {
	known := map[string]string{}
	return func(deployment string) (string, error) {
		if known[deployment] == "" {
			out, err := codedeploy.NewFromConfig(a.aws).GetDeployment(t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: &deployment})
			if err != nil {
				return "", err
			}
			known[deployment] = *out.DeploymentInfo.ApplicationName + "/" + *out.DeploymentInfo.DeploymentGroupName
		}
		return known[deployment], nil
	}
}
