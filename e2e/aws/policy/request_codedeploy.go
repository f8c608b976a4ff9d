//go:build e2e

package policy

// createDeployment has an AppSpec in the call, which is registered as a revision, and
// reads the configuration: CodeDeploy asks for these of its caller.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html
func createDeployment(c asked) ([]Request, error) {
	requests, err := group(c)
	application := c.arn("codedeploy", "application:", c.text("applicationName"))
	return append(requests,
		Request{Action: "codedeploy:RegisterApplicationRevision", Resource: application},
		Request{Action: "codedeploy:GetApplicationRevision", Resource: application},
		Request{Action: "codedeploy:GetDeploymentConfig", Resource: c.arn("codedeploy", "deploymentconfig:", "any")},
	), err
}

func group(c asked) ([]Request, error) {
	return c.on(c.arn("codedeploy", "deploymentgroup:", c.text("applicationName")+"/"+c.text("deploymentGroupName"))), nil
}

func groups(c asked) ([]Request, error) {
	var arns []string
	for _, name := range c.list("deploymentGroupNames") {
		arns = append(arns, c.arn("codedeploy", "deploymentgroup:", c.text("applicationName")+"/"+name))
	}
	return c.on(arns...), nil
}

func applications(c asked) ([]Request, error) {
	var arns []string
	for _, name := range c.list("applicationNames") {
		arns = append(arns, c.arn("codedeploy", "application:", name))
	}
	return c.on(arns...), nil
}

// deployments are calls about deployments, which are resources as their groups.
func deployments(c asked) ([]Request, error) {
	ids := c.list("deploymentIds")
	if id := c.text("deploymentId"); id != "" {
		ids = append(ids, id)
	}
	var arns []string
	for _, id := range ids {
		group, err := c.DeploymentGroup(id)
		if err != nil {
			return nil, err
		}
		arns = append(arns, c.arn("codedeploy", "deploymentgroup:", group))
	}
	return c.on(arns...), nil
}
