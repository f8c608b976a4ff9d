package codedeploy_test

import (
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// TestTags: an application and its group are tagged when they are made and later, and
// what is made anew under an old name has no old tags.
func TestTags(t *testing.T) {
	in(t, func(r *rig) {
		t, ctx := r.T, r.Context()
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		const prefix = "arn:aws:codedeploy:" + sandboxtest.Region + ":" + sandboxtest.Account + ":"
		application, group := prefix+"application:shop", prefix+"deploymentgroup:AppECS-cluster1-webapp1/DgpECS-cluster1-webapp1"
		wants := func(arn string, want map[string]string) {
			t.Helper()
			out, err := r.ListTagsForResource(ctx, &codedeploy.ListTagsForResourceInput{ResourceArn: &arn})
			check(err)
			got := map[string]string{}
			for _, tag := range out.Tags {
				got[*tag.Key] = *tag.Value
			}
			if !maps.Equal(got, want) {
				t.Errorf("%s has %v, want %v", arn, got, want)
			}
		}
		tag := func(key, value string) []types.Tag { return []types.Tag{{Key: &key, Value: &value}} }
		made := &codedeploy.CreateApplicationInput{ApplicationName: aws.String("shop"), ComputePlatform: types.ComputePlatformEcs, Tags: tag("Project", "shop")}
		_, err := r.CreateApplication(ctx, made)
		check(err)
		_, err = r.TagResource(ctx, &codedeploy.TagResourceInput{ResourceArn: &application, Tags: tag("Team", "web")})
		check(err)
		wants(application, map[string]string{"Project": "shop", "Team": "web"})
		_, err = r.UntagResource(ctx, &codedeploy.UntagResourceInput{ResourceArn: &application, TagKeys: []string{"Project"}})
		check(err)
		wants(application, map[string]string{"Team": "web"})
		_, err = r.DeleteApplication(ctx, &codedeploy.DeleteApplicationInput{ApplicationName: made.ApplicationName})
		check(err)
		_, err = r.CreateApplication(ctx, made)
		check(err)
		wants(application, map[string]string{"Project": "shop"})

		_, err = r.TagResource(ctx, &codedeploy.TagResourceInput{ResourceArn: &group, Tags: tag("Team", "web")})
		check(err)
		_, err = r.UpdateDeploymentGroup(ctx, &codedeploy.UpdateDeploymentGroupInput{
			ApplicationName: aws.String("AppECS-cluster1-webapp1"), CurrentDeploymentGroupName: aws.String("DgpECS-cluster1-webapp1"), NewDeploymentGroupName: aws.String("web"),
		})
		check(err)
		wants(prefix+"deploymentgroup:AppECS-cluster1-webapp1/web", map[string]string{"Team": "web"})

		_, err = r.ListTagsForResource(ctx, &codedeploy.ListTagsForResourceInput{ResourceArn: aws.String(prefix + "application:other")})
		checkCode(t, err, "ApplicationDoesNotExistException", "No application found for name: other")
		_, err = r.ListTagsForResource(ctx, &codedeploy.ListTagsForResourceInput{ResourceArn: aws.String(prefix + "deploymentgroup:shop/other")})
		checkCode(t, err, "DeploymentGroupDoesNotExistException", "No Deployment Group found for name: other")
		_, err = r.ListTagsForResource(ctx, &codedeploy.ListTagsForResourceInput{ResourceArn: aws.String("arn:aws:ecs:x")})
		checkCode(t, err, "InvalidArnException", "The specified ARN is not in a valid format: arn:aws:ecs:x")
		_, err = r.TagResource(ctx, &codedeploy.TagResourceInput{ResourceArn: &application, Tags: tag("aws:x", "")})
		checkCode(t, err, "InvalidTagsToAddException", `The specified tags are not valid: "aws:x"`)
	})
}
