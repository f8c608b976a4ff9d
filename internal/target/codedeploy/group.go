package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/slipway-cd/slipway"
)

// batch is how many applications, and deployment groups, one call describes. API
// reference, BatchGetApplications and BatchGetDeploymentGroups.
const batch = 100

// Group is a deployment group of an application.
type Group struct{ Application, Name string }

// service is an ECS service.
type service struct{ cluster, name string }

// GroupOf finds the deployment group that deploys an ECS service; a service has at
// most one. It is remembered. What the place names is not looked for; otherwise the
// names that the ECS console gives are tried first: to look through an account's
// applications takes a call for each.
func (c *Client) GroupOf(ctx context.Context, place slipway.Place) (Group, error) {
	wanted, named := service{place.Cluster, place.Service}, Group{place.Application, place.DeploymentGroup}
	c.mu.Lock()
	known, found := c.groups[wanted]
	c.mu.Unlock()
	if found && (named.Application == "" || named.Application == known.Application) && (named.Name == "" || named.Name == known.Name) {
		return known, nil
	}
	switch {
	case named.Name != "":
		return c.named(ctx, named, wanted)
	case named.Application != "":
		group, found, err := c.searchIn(ctx, aws.String(named.Application), wanted)
		if _, none := errors.AsType[*types.ApplicationDoesNotExistException](err); none {
			return Group{}, misnamed("there is no application %s in CodeDeploy", named.Application)
		}
		if err == nil && !found {
			return Group{}, misnamed("application %s has no deployment group that deploys service %s in cluster %s", named.Application, wanted.name, wanted.cluster)
		}
		return group, c.explain(ctx, err, "cannot read the deployment groups of application "+named.Application)
	}
	return c.find(ctx, wanted)
}

// misnamed is the error about names in pipeline.yaml that lead to no deployment group.
func misnamed(format string, args ...any) error {
	return &slipway.Error{
		Next: slipway.NextPerson, Message: fmt.Sprintf(format, args...),
		Hint: "correct application and deploymentGroup under target in the app's pipeline.yaml, or take them out to have them found",
	}
}

// named returns a group by its names, if it deploys the wanted service.
func (c *Client) named(ctx context.Context, named Group, wanted service) (Group, error) {
	out, err := c.api.GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{
		ApplicationName: aws.String(named.Application), DeploymentGroupName: aws.String(named.Name),
	})
	_, noApplication := errors.AsType[*types.ApplicationDoesNotExistException](err)
	_, noGroup := errors.AsType[*types.DeploymentGroupDoesNotExistException](err)
	switch {
	case noApplication || noGroup:
		return Group{}, misnamed("there is no deployment group %s of an application %s in CodeDeploy", named.Name, named.Application)
	case err != nil:
		return Group{}, c.explain(ctx, err, fmt.Sprintf("cannot read deployment group %s of application %s", named.Name, named.Application))
	}
	if group, found := c.remember([]types.DeploymentGroupInfo{*out.DeploymentGroupInfo}, wanted); found && group == named {
		return group, nil
	}
	return Group{}, misnamed("deployment group %s of application %s does not deploy service %s in cluster %s", named.Name, named.Application, wanted.name, wanted.cluster)
}

// find looks for the group of a service of which nothing is known.
func (c *Client) find(ctx context.Context, wanted service) (Group, error) {
	cluster, name := wanted.cluster, wanted.name
	usual := cluster + "-" + name
	if out, err := c.api.GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{
		ApplicationName: aws.String("AppECS-" + usual), DeploymentGroupName: aws.String("DgpECS-" + usual),
	}); err == nil {
		if group, found := c.remember([]types.DeploymentGroupInfo{*out.DeploymentGroupInfo}, wanted); found {
			return group, nil
		}
	}
	group, found, err := c.search(ctx, wanted)
	if err != nil {
		return Group{}, c.explain(ctx, err, fmt.Sprintf("cannot find the deployment group of service %s in cluster %s", name, cluster))
	}
	if !found {
		return Group{}, &slipway.Error{
			Next:    slipway.NextPerson,
			Message: fmt.Sprintf("no deployment group of CodeDeploy's deploys service %s in cluster %s, though the service has the deployment controller CODE_DEPLOY", name, cluster),
			Hint:    "create the application and the deployment group in CodeDeploy, or change the service's deployment controller to ECS",
		}
	}
	return group, nil
}

// search looks through all applications for the group of a service.
func (c *Client) search(ctx context.Context, wanted service) (Group, bool, error) {
	pages := codedeploy.NewListApplicationsPaginator(c.api, &codedeploy.ListApplicationsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Group{}, false, err
		}
		for names := range slices.Chunk(page.Applications, batch) {
			described, err := c.api.BatchGetApplications(ctx, &codedeploy.BatchGetApplicationsInput{ApplicationNames: names})
			if err != nil {
				return Group{}, false, err
			}
			for _, application := range described.ApplicationsInfo {
				if application.ComputePlatform != types.ComputePlatformEcs {
					continue
				}
				if group, found, err := c.searchIn(ctx, application.ApplicationName, wanted); found || err != nil {
					return group, found, err
				}
			}
		}
	}
	return Group{}, false, nil
}

// searchIn looks through the groups of one application.
func (c *Client) searchIn(ctx context.Context, application *string, wanted service) (Group, bool, error) {
	pages := codedeploy.NewListDeploymentGroupsPaginator(c.api, &codedeploy.ListDeploymentGroupsInput{ApplicationName: application})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Group{}, false, err
		}
		for names := range slices.Chunk(page.DeploymentGroups, batch) {
			described, err := c.api.BatchGetDeploymentGroups(ctx, &codedeploy.BatchGetDeploymentGroupsInput{
				ApplicationName: application, DeploymentGroupNames: names,
			})
			if err != nil {
				return Group{}, false, err
			}
			if group, found := c.remember(described.DeploymentGroupsInfo, wanted); found {
				return group, true, nil
			}
		}
	}
	return Group{}, false, nil
}

// remember notes which services some groups deploy, and whether one of them is the
// wanted one's.
func (c *Client) remember(groups []types.DeploymentGroupInfo, wanted service) (Group, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, group := range groups {
		for _, deployed := range group.EcsServices {
			c.groups[service{aws.ToString(deployed.ClusterName), aws.ToString(deployed.ServiceName)}] =
				Group{aws.ToString(group.ApplicationName), aws.ToString(group.DeploymentGroupName)}
		}
	}
	group, found := c.groups[wanted]
	return group, found
}

// forget drops a group that is not there any more.
func (c *Client) forget(gone Group) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for deployed, group := range c.groups {
		if group == gone {
			delete(c.groups, deployed)
		}
	}
}
